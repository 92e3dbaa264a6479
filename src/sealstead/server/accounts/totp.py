"""Codes of an authenticator app (RFC 6238, with HOTP's truncation of RFC 4226, section 5.3).

A code is good in its own 30 seconds and those before and after (section 5.2 allows for slow clocks and fingers), and
once: the mark of its time step is set in the database, so that two workers never accept the same code.
Secrets are sealed for the account they belong to: moved to another account's row, they do not open.
"""

from __future__ import annotations

import base64
import hmac
import struct
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from sealstead.custody.sealed import SealBrokenError, UnknownMasterKeyError
from sealstead.server.accounts.marks import use_once

PERIOD = 30
DIGITS = 6
TOLERANCE = 1


def code_of(secret: str, step: int) -> str:
    """Return the code of one time step. `secret` is base32."""
    digest = hmac.digest(base64.b32decode(secret, casefold=True), struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    (value,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(value & 0x7FFF_FFFF) % 10**DIGITS:0{DIGITS}}"


def find_step(secret: str, code: str, *, at: datetime) -> int | None:
    """Return the time step around `at` whose code this is."""
    now = int(at.timestamp()) // PERIOD
    given = "".join(code.split()).encode()
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), given):
            found = step
    return found


def use_code(user_id: UUID, secret: str, code: str, *, at: datetime) -> bool:
    """Tell whether the code is right and was not used before; if so, it is used now."""
    step = find_step(secret, code, at=at)
    if step is None:
        return False
    refused_for_age_at = datetime.fromtimestamp((step + TOLERANCE + 1) * PERIOD, UTC)
    return use_once("totp", f"{user_id}:{step}", expires_at=refused_for_age_at)


def seal_secret(user_id: UUID, secret: str) -> str:
    sealed: bytes = settings.SEALSTEAD.ring.seal(secret.encode(), context=_context(user_id))
    return base64.b64encode(sealed).decode()


def open_secret(user_id: UUID, sealed: str) -> str | None:
    """Return the secret; None if it was sealed for another account, was changed, or its master key is gone."""
    try:
        secret: bytes = settings.SEALSTEAD.ring.open(base64.b64decode(sealed), context=_context(user_id))
    except (SealBrokenError, UnknownMasterKeyError, ValueError):
        return None
    return secret.decode()


def _context(user_id: UUID) -> tuple[str, ...]:
    return ("mfa_authenticator", "data.secret", str(user_id))
