"""Rotate an API key with overlap (`succession.py`), in one of two ways.

By the key itself (`rotate_api_key`): the client has made and stored the new key, and sends its id and the SHA-256 of its
secret. No secret travels, so nothing can be lost with an answer. The same rotation, told by idempotency key, id and hash
together, finds the same successor for as long as that one lives, proved with the old key or with the new one. So it
works when the overlap was zero, or the old key has ended meanwhile: the holder is never locked out.

By its owner or the operator (`rotate_api_key_for`): the server makes the key and shows it once. A repeat of the same form
shows the same key again: its text follows from the form's idempotency key, which the database does not hold, under a
master key, which it does not hold either.

A different second rotation is a security event and a mail to the owner, whether it was refused or took the place of
an unused successor: it may be a thief, who would rotate first.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings

from sealstead.errors import SealsteadError
from sealstead.formats.api_key_text import is_api_key_id, make_api_key
from sealstead.lifecycle.rotation import AlreadyRotatedError
from sealstead.lifecycle.states import LIVING
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.mail_kinds import MailKind
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.api_keys import ProvedKey
from sealstead.server.credentials.key_errors import InvalidApiKeyError, InvalidKeyHashError, KeyIdInUseError
from sealstead.server.credentials.key_rows import KeyUse, write_key_uses
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import lock_line
from sealstead.server.credentials.rotate import require_repeatable, rotation_key_of
from sealstead.server.credentials.states import standing_of
from sealstead.server.credentials.succession import Act, Succession, refusals_reported, succeed

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """What a client tells of the key it has made."""

    id: str
    secret_sha256: str
    """Lower hex."""

    def __post_init__(self) -> None:
        """
        Raises:
            InvalidKeyHashError
        """
        if not is_api_key_id(self.id):
            raise InvalidKeyHashError("the id of the new API key is not 12 letters and digits")
        if not _SHA256.fullmatch(self.secret_sha256):
            raise InvalidKeyHashError("secret_sha256 is not 64 lower hexadecimal digits")


def rotate_api_key(
    proved: ProvedKey,
    new: NewKey,
    *,
    overlap: timedelta,
    idempotency_key: str,
    auto_revoke: bool = True,
    too_late: SealsteadError | None = None,
) -> Succession:
    """Make `new` the successor of the key that asks for it.

    `too_late` is why that key is not accepted any more, where it is not: then only a repeat is answered.

    Raises:
        InvalidApiKeyError: revoked meanwhile.
        AlreadyRotatedError: it has a successor in use. `facts` name it.
        KeyIdInUseError: the id belongs to another key.
        InvalidOverlapError, LifetimeRefusedError, LineTooOldError: against the policy.
    """
    act = Act(
        actor=None,
        at=proved.at,
        origin=proved.origin,
        overlap=overlap,
        rotation_key=rotation_key_of(idempotency_key, new.id, new.secret_sha256),
        auto_revoke=auto_revoke,
        details={"by": "api-key"},
    )
    row = Credential.objects.get(pk=proved.key.credential_id)
    try:
        with refusals_reported(row, act):
            row = lock_line(row)
            if row.revoked_at is not None:
                raise InvalidApiKeyError
            if too_late is not None and row.handle == new.id:
                raise too_late
            # Who holds the new key has it in store: from here on nobody supersedes it.
            write_key_uses([KeyUse(credential_id=row.pk, rotated=False, at=proved.at, origin=proved.origin)])
            repeat = _made_before(row, new, act)
            if repeat is not None:
                return repeat
            if too_late is not None:
                raise too_late
            if Credential.objects.filter(handle=new.id).exists():
                raise KeyIdInUseError
            done = succeed(row, act, root=bytes.fromhex(new.secret_sha256), handle=new.id)
            _alarm(done, act)
            return done
    except AlreadyRotatedError as exc:
        successor = Credential.objects.filter(pk=exc.successor).first() if exc.successor else None
        successor = successor or row.successors.filter(revoked_at=None).first()
        exc.facts["successor"] = successor.handle if successor is not None else None
        raise


def rotate_api_key_for(
    row: Credential,
    *,
    actor: User | None,
    overlap: timedelta,
    idempotency_key: str,
    at: datetime,
    origin: Origin,
) -> tuple[Credential, Secret[str]]:
    """Make the successor of `row` at its owner's wish (`actor`), or the operator's (None), and return its text.

    Raises:
        NotRotatableError: revoked, expired, retired or disabled.
        AlreadyRotatedError: it has a successor in use, or one shown too long ago.
        InvalidOverlapError, LifetimeRefusedError, LineTooOldError: against the policy.
        SealBrokenError: the row was changed behind the server's back.
    """
    act = Act(
        actor=actor,
        at=at,
        origin=origin,
        overlap=overlap,
        rotation_key=rotation_key_of(idempotency_key, str(row.pk)),
    )
    made = make_api_key(_stream(idempotency_key, row)) if idempotency_key else make_api_key(os.urandom)
    with refusals_reported(row, act):
        row = lock_line(row)
        done = succeed(row, act, root=bytes.fromhex(made.secret_sha256), handle=made.id)
        if done.repeated:
            require_repeatable(done.successor, at)
            if done.successor.handle != made.id:
                # The master key was rotated in between: the text cannot be had again.
                raise AlreadyRotatedError(
                    f"it has a successor, shown before: {done.successor.handle}", successor=done.successor.pk
                )
            return done.successor, made.text
        _alarm(done, act)
        notify(
            [row.owner],
            "api-key-rotated",
            {"key": row, "successor": done.successor, "superseded": done.superseded, "origin": origin},
        )
    return done.successor, made.text


def _made_before(row: Credential, new: NewKey, act: Act) -> Succession | None:
    """Return the rotation that this one repeats."""
    if row.handle == new.id:
        # Proved with the new key itself.
        if row.rotation_key != act.rotation_key or row.predecessor is None:
            raise KeyIdInUseError
        return Succession(predecessor=row.predecessor, successor=row, repeated=True)
    same = row.successors.filter(revoked_at=None, rotation_key=act.rotation_key).first()
    if same is None or standing_of(same, act.at) not in LIVING:
        return None
    return Succession(predecessor=row, successor=same, repeated=True)


def _alarm(done: Succession, act: Act) -> None:
    """Tell the owner of a second rotation that took the place of the first."""
    if not done.superseded:
        return
    row = done.predecessor
    record(
        tags.API_KEY_SECOND_ROTATION,
        at=act.at,
        origin=act.origin,
        actor_id=act.actor.pk if act.actor else None,
        actor_name=act.actor.get_username() if act.actor else "",
        user_id=row.owner_id,
        credential_id=row.pk,
        details={"name": row.name, **act.details, "superseded": [link.handle for link in done.superseded]},
    )
    notify(
        [row.owner],
        "api-key-second-rotation",
        {"key": row, "successor": done.successor, "superseded": done.superseded, "origin": act.origin},
        kind=MailKind.SECOND_ROTATION,
    )


def _stream(idempotency_key: str, row: Credential) -> Callable[[int], bytes]:
    """Return "random" bytes that this form and this master key alone lead to, up to 64 a call."""
    secret = settings.SEALSTEAD.ring.derive("api-key-rotation")
    calls = count()

    def take(size: int) -> bytes:
        return hmac.digest(secret, f"{next(calls)}:{row.pk}:{idempotency_key}".encode(), "sha512")[:size]

    return take
