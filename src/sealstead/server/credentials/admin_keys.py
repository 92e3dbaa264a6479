"""What the operator does to API keys at the command line: values in, plain facts out. See `admin.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealstead.lifecycle.states import end_of, words_of
from sealstead.secret import Secret
from sealstead.server.accounts.find import get_user
from sealstead.server.credentials.admin import OPERATOR, chosen_expiry, iso
from sealstead.server.credentials.change import set_enabled
from sealstead.server.credentials.find import find_named
from sealstead.server.credentials.issue_key import issue_api_key
from sealstead.server.credentials.key_scope import key_scope
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.states import moments_of, standing_of


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    facts: dict[str, Any]
    key: Secret[str]


def create_key(
    *,
    user: str,
    name: str,
    roles: Sequence[str],
    labels: Sequence[str],
    networks: Sequence[str],
    rate: str | None,
    expires: str | None,
    at: datetime,
) -> NewApiKey:
    """Issue a key for the account `user`. `expires` is a duration, `never`, or None for the policy's default.

    Raises:
        NoSuchUserError, and those of `key_scope` and `issue_api_key`.
    """
    scope = key_scope(roles=roles, labels=labels, networks=networks, rate=rate or "")
    row, text = issue_api_key(
        owner=get_user(user),
        name=name,
        scope=scope,
        expires_at=chosen_expiry(expires, at),
        at=at,
        origin=OPERATOR,
        by_operator=True,
    )
    return NewApiKey(facts=facts_of(row, at), key=text)


def list_keys(*, user: str | None, everything: bool, at: datetime) -> list[dict[str, Any]]:
    """Return the keys that have not been deleted, oldest first; of one account, or of all.

    Raises:
        NoSuchUserError
    """
    rows = Credential.objects.select_related("owner", "predecessor").filter(kind=Kind.API_KEY)
    if not everything:
        rows = rows.filter(removed_at=None)
    if user is not None:
        rows = rows.filter(owner=get_user(user))
    return [facts_of(row, at) for row in rows.order_by("owner__username", "created_at", "pk").iterator()]


def switch_key(*, key: str, user: str | None, enabled: bool, at: datetime) -> tuple[dict[str, Any], bool]:
    """Disable or enable the key that an id, or a name of the account `user`, stands for; tell whether it changed.

    Raises:
        KeyEndedError, and those of `find_named`.
    """
    row = find_named(key, user, at, kind=Kind.API_KEY, latest=True)
    changed = set_enabled(row, enabled, actor=None, at=at, origin=OPERATOR)
    row.refresh_from_db()
    return facts_of(row, at), changed


def revoke_key(
    *, key: str, user: str | None, only_this: bool, reason: str, at: datetime
) -> list[dict[str, Any]]:
    """Revoke the key that an id, or a name of the account `user`, stands for; return what ended.

    A name stands for the whole line of rotations that holds it.

    Raises:
        AlreadyRevokedError, and those of `find_named`.
    """
    row = find_named(key, user, at, kind=Kind.API_KEY)
    ended = revoke(row, actor=None, at=at, origin=OPERATOR, reason=reason, only_this=only_this)
    return [facts_of(link, at) for link in ended]


def facts_of(row: Credential, at: datetime) -> dict[str, Any]:
    """Return what lists show, ready for JSON."""
    return {
        "id": row.handle,
        "uuid": str(row.pk),
        "user": row.owner.get_username(),
        "name": row.name,
        "roles": row.scope["roles"],
        "labels": row.scope.get("labels"),
        "networks": row.scope.get("networks"),
        "rate": row.scope.get("rate"),
        "state": str(standing_of(row, at)),
        "state_text": words_of(standing_of(row, at)),
        "created_at": row.created_at.isoformat(),
        "expires_at": iso(row.expires_at),
        "retires_at": iso(row.retires_at),
        "overdue_at": iso(row.overdue_at),
        "disabled_at": iso(row.disabled_at),
        "revoked_at": iso(row.revoked_at),
        "removed_at": iso(row.removed_at),
        "ends_at": iso(end_of(moments_of(row))),
        "last_used_at": iso(row.last_used_at),
        "last_used_ip": row.last_used_ip,
        "use_count": row.use_count,
        "predecessor": row.predecessor.handle if row.predecessor else None,
    }
