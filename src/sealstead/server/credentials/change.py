"""What an owner does to a credential beside rotating and revoking it: disable, enable, regenerate, delete, clean up.

Deleting takes a credential off every list and destroys what is sealed in its row. The row itself stays: events name it,
and its line stays whole, so that a revocation still reaches what was made from it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from sealstead.formats.api_key_text import make_api_key
from sealstead.lifecycle.policy import LineTooOldError, checked_expiry
from sealstead.lifecycle.rotation import AlreadyRotatedError
from sealstead.lifecycle.states import Standing
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import AlreadyRevokedError, TokenNameInUseError
from sealstead.server.credentials.key_errors import KeyEndedError
from sealstead.server.credentials.kinds import facts_of_kind
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.policy import current_policy
from sealstead.server.credentials.revoke import end_links, lock_line, pass_name_on
from sealstead.server.credentials.seal import open_root, seal_root
from sealstead.server.credentials.states import is_living, standing_of


class Ended(StrEnum):
    """Why a credential is over, as far as cleaning up is concerned."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    """Another took its place: by a rotation whose overlap is over, or because it was regenerated."""


_SUPERSEDED_BY = frozenset({"superseded", "regenerated"})


def set_enabled(row: Credential, enabled: bool, *, actor: User | None, at: datetime, origin: Origin) -> bool:  # noqa: FBT001 - the verb is the switch
    """Have an API key refused for now, or accepted again; return whether that changed anything.

    Raises:
        KeyEndedError: it is over already.
        SealBrokenError: the row was changed behind the server's back.
    """
    with transaction.atomic():
        row = lock_line(row)
        if not is_living(row, at):
            raise KeyEndedError(row.name)
        if enabled == (row.disabled_at is None):
            return False
        root = open_root(row)
        row.disabled_at = None if enabled else at
        seal_root(row, root)
        row.save(update_fields=["disabled_at", "sealed_root"])
        _record(tags.API_KEY_ENABLED if enabled else tags.API_KEY_DISABLED, row, actor, at, origin)
    return True


def regenerate(
    row: Credential, *, expires_at: datetime | None, actor: User, at: datetime, origin: Origin
) -> tuple[Credential, Secret[str]]:
    """Put a new API key in the place of `row`, whose old text is refused from now on. Return it and its text, this once.

    Raises:
        AlreadyRevokedError: a revoked one is not revived.
        TokenNameInUseError: it had expired, and another has its name now.
        AlreadyRotatedError: a rotation's successor lives: that is the one to regenerate.
        LifetimeRefusedError, LineTooOldError: against the policy.
    """
    policy = current_policy()
    expires_at = checked_expiry(expires_at, policy, at=at)
    if policy.longest_line is not None:
        last = (row.line_started_at + policy.longest_line).replace(microsecond=0)
        if last <= at:
            raise LineTooOldError("the line has been rotated for too long", hint="issue a new one instead")
        expires_at = last if expires_at is None else min(expires_at, last)
    made = make_api_key(os.urandom)
    with transaction.atomic():
        row = lock_line(row)
        if row.revoked_at is not None:
            raise AlreadyRevokedError(f"the API key {row.name!r} is revoked already")
        living = row.successors.filter(revoked_at=None).first()
        if living is not None:
            raise AlreadyRotatedError(
                f"it has a successor: {living.handle}", successor=living.pk, hint="regenerate the successor"
            )
        end_links([row], at=at, reason="regenerated")
        holder = Credential.objects.filter(
            owner=row.owner, kind=row.kind, name=row.name, holds_name=True
        ).first()
        if holder is not None and holder.line != row.line:
            raise TokenNameInUseError(row.name, word="API key")
        new = Credential(
            id=uuid.uuid4(),
            kind=row.kind,
            owner=row.owner,
            name=row.name,
            holds_name=holder is None,
            handle=made.id,
            scope=row.scope,
            line=row.line,
            line_started_at=row.line_started_at,
            predecessor=row,
            created_at=at,
            expires_at=expires_at,
        )
        seal_root(new, bytes.fromhex(made.secret_sha256))
        new.save(force_insert=True)
        _record(tags.API_KEY_REGENERATED, row, actor, at, origin, successor=new.handle)
        notify([row.owner], "api-key-regenerated", {"key": row, "successor": new, "origin": origin})
    return new, made.text


def remove(row: Credential, *, actor: User | None, at: datetime, origin: Origin) -> None:
    """Delete one credential, which ends it where it still lives; what was made from it stays."""
    with transaction.atomic():
        row = lock_line(row)
        if row.removed_at is None:
            _remove(row, actor, at, origin)


def ended_as(row: Credential, at: datetime) -> Ended | None:
    match standing_of(row, at):
        case Standing.EXPIRED:
            return Ended.EXPIRED
        case Standing.RETIRED:
            return Ended.SUPERSEDED
        case Standing.REVOKED:
            return Ended.SUPERSEDED if row.revoke_reason in _SUPERSEDED_BY else Ended.REVOKED
        case _:
            return None


def count_ended(owner: User, at: datetime) -> dict[Ended, int]:
    """Return how many of the owner's credentials cleaning up would delete, for each reason."""
    counts = dict.fromkeys(Ended, 0)
    for row in Credential.objects.filter(owner=owner, removed_at=None):
        why = ended_as(row, at)
        if why is not None:
            counts[why] += 1
    return counts


def clean_up(
    owner: User, chosen: Iterable[Ended], *, actor: User | None, at: datetime, origin: Origin
) -> dict[Ended, int]:
    """Delete the owner's credentials that ended for the chosen reasons; return how many for each."""
    counts = dict.fromkeys(chosen, 0)
    with transaction.atomic():
        for row in Credential.objects.filter(owner=owner, removed_at=None).order_by("created_at", "pk"):
            why = ended_as(row, at)
            if why in counts:
                _remove(row, actor, at, origin)
                counts[why] += 1
    return counts


def _remove(row: Credential, actor: User | None, at: datetime, origin: Origin) -> None:
    if is_living(row, at):
        end_links([row], at=at, reason="deleted")
    held_name, row.holds_name = row.holds_name, False
    row.removed_at, row.sealed_root = at, None
    row.save(update_fields=["holds_name", "removed_at", "sealed_root"])
    if held_name:
        pass_name_on(row, at, besides={row.pk})
    _record(facts_of_kind(row).removed, row, actor, at, origin)


def _record(
    tag: str, row: Credential, actor: User | None, at: datetime, origin: Origin, **details: str | None
) -> None:
    record(
        tag,
        at=at,
        origin=origin,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        user_id=row.owner_id,
        credential_id=row.pk,
        details={"name": row.name, **details},
    )
