"""Rotate an upload token with overlap (`succession.py`).

A repeat with the same idempotency key gets the same successor and its text again, as long as that was never used and is
minutes old: a double click or a lost answer costs nothing.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta

from sealstead.lifecycle.rotation import AlreadyRotatedError
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.issue import ROOT_KEY_BYTES
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import lock_line
from sealstead.server.credentials.seal import open_root
from sealstead.server.credentials.succession import Act, refusals_reported, succeed
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
    act = Act(
        actor=actor, at=at, origin=origin, overlap=overlap, rotation_key=rotation_key_of(idempotency_key)
    )
    root = os.urandom(ROOT_KEY_BYTES)
    with refusals_reported(row, act):
        row = lock_line(row)
        done = succeed(row, act, root=root)
        if done.repeated:
            require_repeatable(done.successor, at)
            return done.successor, token_text(done.successor, open_root(done.successor))
        token = token_text(done.successor, root)
        notify(
            [row.owner],
            "token-rotated",
            {"token": row, "successor": done.successor, "superseded": done.superseded, "origin": origin},
        )
    return done.successor, token


def require_repeatable(successor: Credential, at: datetime) -> None:
    """Return if the answer to a rotation may be shown once more.

    Raises:
        AlreadyRotatedError: it was used, or is too old.
    """
    if successor.last_used_at is not None or at - successor.created_at >= REPEAT_WITHIN:
        raise AlreadyRotatedError(
            f"it has a successor, shown before: {successor.handle or successor.pk}",
            successor=successor.pk,
            hint="rotate the successor, or revoke it if it is not yours",
        )


def rotation_key_of(*parts: str) -> str:
    """Return the hash that tells whether two rotations are the same; blank without an idempotency key (the first part)."""
    # Length-prefixed, so that no two lists of parts share an encoding.
    text = "".join(f"{len(part)}:{part}" for part in parts) if len(parts) > 1 else parts[0]
    return hashlib.sha256(text.encode()).hexdigest() if parts[0] else ""
