"""Disable and enable accounts. Disabling works at once: sessions end here, tokens are refused by their owner's state."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sealstead.server.accounts.models import User
from sealstead.server.accounts.sessions import end_sessions
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record


def disable_user(user: User, *, at: datetime, origin: Origin, actor: User | None = None) -> None:
    """Disable the account; a second time changes nothing."""
    _set(user, active=False, tag=tags.ACCOUNT_DISABLED, at=at, origin=origin, actor=actor)


def enable_user(user: User, *, at: datetime, origin: Origin, actor: User | None = None) -> None:
    _set(user, active=True, tag=tags.ACCOUNT_ENABLED, at=at, origin=origin, actor=actor)


def _set(user: User, *, active: bool, tag: str, at: datetime, origin: Origin, actor: User | None) -> None:
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active):
            return
        end_sessions(user.pk)
        record(
            tag,
            at=at,
            origin=origin,
            user_id=user.pk,
            actor_id=actor.pk if actor else None,
            actor_name=actor.username if actor else "",
        )
    user.is_active = active
