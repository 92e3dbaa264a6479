"""Durations as people type them: `7d`, `12h`, `30m`, `2w`; a bare integer counts days."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sealstead.errors import InputError

_UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
# Eight digits: LONGEST in minutes has as many, and as weeks they stay within a timedelta.
_DURATION = r"([0-9]{1,8})([wdhm]?)"

LONGEST = timedelta(days=36_500)
"""A century: nothing we issue outlives it, and date arithmetic stays far from overflow."""


class InvalidDurationError(InputError):
    """Not a duration, or out of bounds."""

    code = "invalid-duration"


def parse_duration(
    text: str, *, shortest: timedelta = timedelta(0), longest: timedelta = LONGEST
) -> timedelta:
    """Return the duration that `text` names, within `shortest` and `longest` (both inclusive).

    Raises:
        InvalidDurationError: not a duration, or out of bounds.
    """
    match = re.fullmatch(_DURATION, text.strip().lower())
    if match is None:
        raise InvalidDurationError(
            f"{text[:40]!r} is not a duration",
            hint="write for example 7d, 12h, 30m or 2w; a bare number counts days",
        )
    value = int(match[1]) * _UNITS.get(match[2], _UNITS["d"])
    if not shortest <= value <= longest:
        raise InvalidDurationError(
            f"{text.strip()} is out of bounds",
            hint=f"choose from {format_duration(shortest)} to {format_duration(longest)}",
        )
    return value


def format_duration(value: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads back, rounded down to minutes."""
    minutes = int(value.total_seconds()) // 60
    for unit, size in (("w", 10_080), ("d", 1_440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m" if minutes else "0d"


def one_year_after(at: datetime) -> datetime:
    """Return the same day a year later; of 29 February, the 28th."""
    try:
        return at.replace(year=at.year + 1)
    except ValueError:
        return at.replace(year=at.year + 1, day=28)
