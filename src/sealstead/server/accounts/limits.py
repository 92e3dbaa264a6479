"""Limits on attempts that hold over all workers and hosts: one row per bucket, changed by one statement.

A window begins with its first attempt. Each attempt counts before it is looked at, so two workers never let
`limit + 1` through: whoever finds the attempt good gives it back (`give_back`) or clears the bucket (`forget`).

Buckets are named `purpose:subject`, for example `password:ip:192.0.2.7`. Only their hashes are stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.db import connection
from django.db.models import F

from sealstead.errors import DeniedError
from sealstead.server.accounts.models import Attempts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# One statement, hence atomic on SQLite and on PostgreSQL at every isolation level.
_HIT = """
INSERT INTO accounts_attempts (bucket, count, ends_at_us) VALUES (%s, 1, %s)
ON CONFLICT (bucket) DO UPDATE SET
  count = CASE WHEN accounts_attempts.ends_at_us <= %s THEN 1 ELSE accounts_attempts.count + 1 END,
  ends_at_us = CASE WHEN accounts_attempts.ends_at_us <= %s THEN excluded.ends_at_us
                    ELSE accounts_attempts.ends_at_us END
RETURNING count, ends_at_us
"""


class TooManyAttemptsError(DeniedError):
    """`retry_after` tells when the next attempt has a chance."""

    code = "too-many-attempts"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many attempts", hint="wait a little, then try again")
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`count` includes this attempt. `retry_after` is zero while attempts are allowed."""

    allowed: bool
    count: int
    retry_after: timedelta

    def require(self) -> None:
        """
        Raises:
            TooManyAttemptsError: the limit is passed.
        """
        if not self.allowed:
            raise TooManyAttemptsError(self.retry_after)


def hit(bucket: str, limit: int, window: timedelta, at: datetime) -> Verdict:
    """Count one attempt and tell whether it is among the first `limit` of its window.

    Call it outside of a transaction that may be undone: what is rolled back was not counted.
    """
    now = microseconds(at)
    with connection.cursor() as cursor:
        cursor.execute(_HIT, [_name(bucket), microseconds(at + window), now, now])
        count, ends_at = cursor.fetchone()
    return _verdict(count, limit, ends_at, now)


def look(bucket: str, limit: int, at: datetime) -> Verdict:
    """Tell, without counting, whether the bucket is full: `allowed` means that one more would pass."""
    now = microseconds(at)
    row = Attempts.objects.filter(bucket=_name(bucket), ends_at_us__gt=now).first()
    if row is None:
        return Verdict(allowed=True, count=0, retry_after=timedelta())
    return _verdict(row.count + 1, limit, row.ends_at_us, now)


def give_back(bucket: str) -> None:
    """Take one attempt back, because it turned out to be good."""
    Attempts.objects.filter(bucket=_name(bucket), count__gt=0).update(count=F("count") - 1)


def forget(bucket: str) -> None:
    """Begin anew: "in a row" ends with a success."""
    Attempts.objects.filter(bucket=_name(bucket)).delete()


def clear_expired(at: datetime) -> int:
    """Delete rows whose window is over; they mean the same as none. Returns how many."""
    return Attempts.objects.filter(ends_at_us__lte=microseconds(at)).delete()[0]


def network_of(ip: str | None) -> str:
    """Return what one visitor is counted by: the IPv4 address, or the /64 of an IPv6 address.

    A /64 is what one household or machine gets (RFC 6177), so its owner could try each time from another address.
    """
    if not ip:
        return "unknown"
    address = ip_address(ip)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _verdict(count: int, limit: int, ends_at: int, now: int) -> Verdict:
    allowed = count <= limit
    wait = timedelta() if allowed else timedelta(microseconds=max(ends_at - now, 0))
    return Verdict(allowed=allowed, count=count, retry_after=wait)


def _name(bucket: str) -> str:
    return hashlib.sha256(bucket.encode()).hexdigest()
