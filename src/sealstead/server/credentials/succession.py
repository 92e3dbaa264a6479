"""Carry a rotation out, for every kind: one successor, both accepted until the predecessor retires.

Rules (DESIGN §2.2, `lifecycle.rotation`):
  * a repeat of the same rotation finds the same successor;
  * a different second rotation is refused once the successor has been used, and supersedes one never used;
  * either second rotation is an event and a mail: it may be a thief;
  * never two living successors, whatever runs at once: the line is locked, and the database has a constraint.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from sealstead.lifecycle.rotation import AlreadyRotatedError, Repeat, plan_rotation
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.mail_kinds import MailKind
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.kinds import facts_of_kind
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.policy import current_policy
from sealstead.server.credentials.revoke import end_links, ended_with
from sealstead.server.credentials.seal import open_root, seal_root
from sealstead.server.credentials.states import is_living, link_of


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who rotates, how and when. `actor` is None for the operator at the command line, and for a key that rotates itself."""

    actor: User | None
    at: datetime
    origin: Origin
    overlap: timedelta
    rotation_key: str
    """What makes two rotations the same one: a hash over the idempotency key, 64 hex digits, or blank."""
    auto_revoke: bool = True
    details: dict[str, Any] = field(default_factory=dict)
    """Further details of the events."""


@dataclass(frozen=True, kw_only=True)
class Succession:
    predecessor: Credential
    successor: Credential
    superseded: tuple[Credential, ...] = ()
    repeated: bool = False


def succeed(row: Credential, act: Act, *, root: bytes, handle: str | None = None) -> Succession:
    """Make the successor of `row`: same owner, name and scope, and as long a life again, as policy allows.

    `row` has been locked (`lock_line`) in the current transaction. `root` is what the successor is checked against.

    Raises:
        NotRotatableError: revoked, expired, retired or disabled.
        AlreadyRotatedError: it has a successor in use.
        InvalidOverlapError, LifetimeRefusedError, LineTooOldError: against the policy.
        SealBrokenError: the row was changed behind the server's back.
    """
    at = act.at
    below = {link.pk: link for link in ended_with(row)[1:]}
    present = [link for link in below.values() if link.predecessor_id == row.pk and link.revoked_at is None]
    rotated_on = {link.predecessor_id for link in below.values()}
    plan = plan_rotation(
        link_of(row),
        # Whoever rotated a successor had it: it counts as used, so that nothing in use ends with it.
        [link_of(one, rotated=one.pk in rotated_on) for one in present],
        at=at,
        overlap=act.overlap,
        policy=current_policy(),
        line_started_at=row.line_started_at,
        rotation_key=act.rotation_key,
        auto_revoke=act.auto_revoke,
    )
    if isinstance(plan, Repeat):
        same = next(one for one in present if one.pk == plan.successor)
        return Succession(predecessor=row, successor=same, repeated=True)
    _require_not_moved_on(below, present, at)
    superseded = end_links([link for one in present for link in ended_with(one)], at=at, reason="superseded")
    own_root = open_root(row)
    row.retires_at, row.overdue_at = plan.retires_at, plan.overdue_at
    seal_root(row, own_root)
    row.save(update_fields=["retires_at", "overdue_at", "sealed_root"])
    # "Since the rotation" begins now.
    row.address_uses.all().delete()
    successor = Credential(
        id=uuid.uuid4(),
        kind=row.kind,
        owner=row.owner,
        name=row.name,
        holds_name=False,
        handle=handle,
        scope=row.scope,
        line=row.line,
        line_started_at=row.line_started_at,
        predecessor=row,
        created_at=at,
        expires_at=plan.successor_expires_at,
        rotation_key=act.rotation_key,
    )
    seal_root(successor, root)
    successor.save(force_insert=True)
    _record(row, successor, superseded, act)
    return Succession(predecessor=row, successor=successor, superseded=tuple(superseded))


def _require_not_moved_on(below: dict[UUID, Credential], present: list[Credential], at: datetime) -> None:
    """Return unless something below lives behind a link that has ended: one that was regenerated, or revoked alone.

    Raises:
        AlreadyRotatedError
    """
    shown = {link.pk for link in present}
    for link in below.values():
        if link.pk not in shown and link.predecessor_id not in shown and is_living(link, at):
            raise AlreadyRotatedError(
                f"its line has moved on to {link.handle or link.pk}",
                successor=link.pk,
                hint="rotate that one, or revoke it if it is not yours",
            )


@contextmanager
def refusals_reported(row: Credential, act: Act) -> Iterator[None]:
    """Run one rotation in a transaction of its own; a second one that is refused becomes an event and a mail.

    Raises:
        AlreadyRotatedError: also where another rotation was first by a moment.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        refusal = AlreadyRotatedError(
            f"another rotation of the {facts_of_kind(row).word} {row.name!r} was first"
        )
        _report(row, refusal, act)
        raise refusal from exc
    except AlreadyRotatedError as exc:
        _report(row, exc, act)
        raise


def _record(row: Credential, successor: Credential, superseded: list[Credential], act: Act) -> None:
    facts = facts_of_kind(row)
    actor: dict[str, Any] = {
        "actor_id": act.actor.pk if act.actor else None,
        "actor_name": act.actor.get_username() if act.actor else "",
        "user_id": row.owner_id,
    }
    for link in superseded:
        record(
            facts.revoked,
            at=act.at,
            origin=act.origin,
            **actor,
            credential_id=link.pk,
            details={"name": link.name, "reason": "superseded"},
        )
    record(
        facts.rotated,
        at=act.at,
        origin=act.origin,
        **actor,
        credential_id=row.pk,
        details={
            "name": row.name,
            **act.details,
            "successor": successor.handle or str(successor.pk),
            "retires_at": row.retires_at.isoformat() if row.retires_at else None,
            "overdue_at": row.overdue_at.isoformat() if row.overdue_at else None,
            "superseded": [link.handle or str(link.pk) for link in superseded],
        },
    )


def _report(row: Credential, refusal: AlreadyRotatedError, act: Act) -> None:
    facts = facts_of_kind(row)
    with transaction.atomic():
        record(
            facts.rotation_refused,
            at=act.at,
            origin=act.origin,
            accepted=False,
            code=refusal.code,
            actor_id=act.actor.pk if act.actor else None,
            actor_name=act.actor.get_username() if act.actor else "",
            user_id=row.owner_id,
            credential_id=row.pk,
            details={"name": row.name, **act.details},
        )
        notify(
            [row.owner],
            f"{facts.mails}-rotation-refused",
            {"token": row, "origin": act.origin},
            kind=MailKind.SECOND_ROTATION,
        )
