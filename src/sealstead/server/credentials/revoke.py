"""Revoke a credential: end it now, with every credential that descends from it.

A thief may have rotated: whoever ends a token ends what was made from it, unless one link is named.
The sealed root key is destroyed, so the end outlives any later change of the row.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from sealstead.lifecycle.lines import ended_by_revoking
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import AlreadyRevokedError
from sealstead.server.credentials.kinds import facts_of_kind
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.states import is_living


def lock_line(row: Credential) -> Credential:
    """Hold the line of `row` until the transaction ends, and return `row` as it is now.

    Without it a rotation further down could slip a successor past a revocation that has read the line already.
    Its first credential stands for the whole line: locking all of them would meet new ones in another order each
    time, and two rotations would wait for each other.
    """
    list(Credential.objects.select_for_update().filter(pk=row.line).values_list("pk"))
    return Credential.objects.select_related("owner").get(pk=row.pk)


def ended_with(row: Credential, *, only_this: bool = False) -> list[Credential]:
    """Return `row` and, unless `only_this`, what rotations made from it, nearest first."""
    line = {link.pk: link for link in Credential.objects.filter(line=row.line)}
    made_from = {link.pk: link.predecessor_id for link in line.values()}
    return [line[pk] for pk in ended_by_revoking(made_from, row.pk, only_this=only_this)]


def revoke(
    row: Credential,
    *,
    actor: User | None,
    at: datetime,
    origin: Origin,
    reason: str = "",
    only_this: bool = False,
) -> list[Credential]:
    """Revoke `row`, and its living descendants unless `only_this`; return those that ended now.

    `actor` is None for the operator at the command line.

    Raises:
        AlreadyRevokedError: nothing was left to end.
    """
    with transaction.atomic():
        row = lock_line(row)
        facts = facts_of_kind(row)
        ended = end_links(ended_with(row, only_this=only_this), at=at, reason=reason)
        if not ended:
            raise AlreadyRevokedError(f"the {facts.word} {row.name!r} is revoked already")
        for link in ended:
            record(
                facts.revoked,
                at=at,
                origin=origin,
                actor_id=actor.pk if actor else None,
                actor_name=actor.get_username() if actor else "",
                user_id=row.owner_id,
                credential_id=link.pk,
                details={"name": link.name, "reason": reason},
            )
        notify([row.owner], f"{facts.mails}-revoked", {"token": row, "ended": ended, "origin": origin})
    return ended


def end_links(links: list[Credential], *, at: datetime, reason: str) -> list[Credential]:
    """Mark these as revoked at `at` and settle who holds the line's name. For verbs, inside their transaction."""
    ended = [link for link in links if link.revoked_at is None]
    for link in ended:
        held_name, link.holds_name = link.holds_name, False
        link.revoked_at, link.revoke_reason, link.sealed_root = at, reason[:200], None
        link.save(update_fields=["holds_name", "revoked_at", "revoke_reason", "sealed_root"])
        if held_name:
            pass_name_on(link, at, besides={other.pk for other in ended})
    return ended


def pass_name_on(link: Credential, at: datetime, *, besides: set[UUID]) -> None:
    for other in Credential.objects.filter(line=link.line).exclude(pk__in=besides).order_by("created_at"):
        if is_living(other, at):
            Credential.objects.filter(pk=other.pk).update(holds_name=True)
            return
