"""The only clock, and how its moments are written.

Everything else takes a `Clock`, so that tests move time instead of waiting.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def moment_text(at: datetime) -> str:
    """Return a moment for people: UTC, to the second, and it says so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def serialize_moment(at: datetime) -> str:
    """Return a moment for programs: RFC 3339 in UTC, to the second, with `Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
