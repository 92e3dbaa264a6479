"""Rotate an upload token with overlap: one successor, both accepted until the predecessor retires.

Rules (DESIGN §2.2, `lifecycle.rotation`):
  * a repeat with the same idempotency key gets the same successor and its text again, as long as that was
    never used and is minutes old: a double click or a lost answer costs nothing;
  * a different second rotation is refused once the successor has been used, and supersedes one never used;
  * either second rotation is an event and a mail: it may be a thief;
  * never two living successors, whatever runs at once: the line is locked, and the database has a constraint.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from sealstead.lifecycle.rotation import AlreadyRotatedError, Repeat, plan_rotation
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.issue import ROOT_KEY_BYTES
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.policy import current_policy
from sealstead.server.credentials.revoke import end_links, ended_with, lock_line
from sealstead.server.credentials.seal import open_root, seal_root
from sealstead.server.credentials.states import link_of
from sealstead.server.credentials.tokens import token_text

REPEAT_WITHIN = timedelta(minutes=10)
"""How long the answer to a rotation can be had again with its idempotency key."""


def rotate_upload_token(
    row: Credential,
    *,
    actor: User | None,
    overlap: timedelta,
    idempotency_key: str,
    at: datetime,
    origin: Origin,
) -> tuple[Credential, Secret[str]]:
    """Make the successor of `row`: same owner, name and scope, and as long a life again, as policy allows.

    `actor` is None for the operator at the command line.

    Raises:
        NotRotatableError: revoked, expired or retired.
        AlreadyRotatedError: it has a successor in use, or another rotation was first.
        InvalidOverlapError, LifetimeRefusedError, LineTooOldError: against the policy.
        SealBrokenError: the row was changed behind the server's back.
    """
    try:
        with transaction.atomic():
            return _rotate(
                row, actor, overlap=overlap, rotation_key=_hash(idempotency_key), at=at, origin=origin
            )
    except IntegrityError as exc:
        refusal = AlreadyRotatedError(f"another rotation of the token {row.name!r} was first")
        _report_refusal(row, actor, refusal, at, origin)
        raise refusal from exc
    except AlreadyRotatedError as exc:
        _report_refusal(row, actor, exc, at, origin)
        raise


def _rotate(
    row: Credential,
    actor: User | None,
    *,
    overlap: timedelta,
    rotation_key: str,
    at: datetime,
    origin: Origin,
) -> tuple[Credential, Secret[str]]:
    row = lock_line(row)
    present = list(row.successors.filter(revoked_at=None))
    plan = plan_rotation(
        link_of(row),
        [link_of(one) for one in present],
        at=at,
        overlap=overlap,
        policy=current_policy(),
        line_started_at=row.line_started_at,
        rotation_key=rotation_key,
    )
    if isinstance(plan, Repeat):
        return _again(next(one for one in present if one.pk == plan.successor), at)
    superseded = end_links([link for one in present for link in ended_with(one)], at=at, reason="superseded")
    root = open_root(row)
    row.retires_at = plan.retires_at
    seal_root(row, root)
    row.save(update_fields=["retires_at", "sealed_root"])
    successor = Credential(
        id=uuid.uuid4(),
        kind=row.kind,
        owner=row.owner,
        name=row.name,
        holds_name=False,
        scope=row.scope,
        line=row.line,
        line_started_at=row.line_started_at,
        predecessor=row,
        created_at=at,
        expires_at=plan.successor_expires_at,
        rotation_key=rotation_key,
    )
    new_root = os.urandom(ROOT_KEY_BYTES)
    seal_root(successor, new_root)
    token = token_text(successor, new_root)
    successor.save(force_insert=True)
    for link in superseded:
        record(
            tags.TOKEN_REVOKED,
            at=at,
            origin=origin,
            actor_id=actor.pk if actor else None,
            actor_name=actor.get_username() if actor else "",
            user_id=row.owner_id,
            credential_id=link.pk,
            details={"name": link.name, "reason": "superseded"},
        )
    record(
        tags.TOKEN_ROTATED,
        at=at,
        origin=origin,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        user_id=row.owner_id,
        credential_id=row.pk,
        details={
            "name": row.name,
            "successor": str(successor.pk),
            "retires_at": row.retires_at.isoformat() if row.retires_at else None,
            "superseded": [str(link.pk) for link in superseded],
        },
    )
    notify(
        [row.owner],
        "token-rotated",
        {"token": row, "successor": successor, "superseded": superseded, "origin": origin},
    )
    return successor, token


def _again(successor: Credential, at: datetime) -> tuple[Credential, Secret[str]]:
    """Return the answer to a rotation once more."""
    if successor.last_used_at is not None or at - successor.created_at >= REPEAT_WITHIN:
        raise AlreadyRotatedError(
            f"it has a successor, shown before: {successor.pk}",
            successor=successor.pk,
            hint="rotate the successor, or revoke it if it is not yours",
        )
    return successor, token_text(successor, open_root(successor))


def _report_refusal(
    row: Credential, actor: User | None, refusal: AlreadyRotatedError, at: datetime, origin: Origin
) -> None:
    with transaction.atomic():
        record(
            tags.TOKEN_ROTATION_REFUSED,
            at=at,
            origin=origin,
            accepted=False,
            code=refusal.code,
            actor_id=actor.pk if actor else None,
            actor_name=actor.get_username() if actor else "",
            user_id=row.owner_id,
            credential_id=row.pk,
            details={"name": row.name},
        )
        notify([row.owner], "token-rotation-refused", {"token": row, "origin": origin})


def _hash(idempotency_key: str) -> str:
    return hashlib.sha256(idempotency_key.encode()).hexdigest() if idempotency_key else ""
