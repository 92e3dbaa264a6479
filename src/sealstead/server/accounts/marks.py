"""One-time marks: the first to set a mark wins, over all workers and hosts.

For codes and tokens that may be used once: a TOTP code (RFC 6238, section 5.2), the `jti` of a JWT.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import connection

from sealstead.server.accounts.limits import microseconds
from sealstead.server.accounts.models import OneTimeMark

_USE = "INSERT INTO accounts_onetimemark (mark, expires_at_us) VALUES (%s, %s) ON CONFLICT (mark) DO NOTHING"


def use_once(purpose: str, value: str, *, expires_at: datetime) -> bool:
    """Set the mark and return True, or return False when it was set before.

    `expires_at` is when `value` would be refused for its age anyway; the mark is kept until then. Inside a
    transaction the mark is undone with it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_USE, [_mark(purpose, value), microseconds(expires_at)])
        return bool(cursor.rowcount == 1)


def clear_expired(at: datetime) -> int:
    return OneTimeMark.objects.filter(expires_at_us__lt=microseconds(at)).delete()[0]


def _mark(purpose: str, value: str) -> str:
    # Length-prefixed, so that no two pairs share an encoding.
    return hashlib.sha256(f"{len(purpose)}:{purpose}{value}".encode()).hexdigest()
