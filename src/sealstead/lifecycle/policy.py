"""What an operator allows: one policy for API keys and tokens alike."""

from __future__ import annotations

from datetime import datetime, timedelta

from sealstead.durations import format_duration
from sealstead.errors import ConflictError, InputError
from sealstead.record import Record

MAX_OVERLAP = timedelta(days=30)
"""No policy allows more: a longer overlap and a forgotten predecessor outlives the schedule that would catch it."""
DEFAULT_OVERLAP = timedelta(days=7)


class LifetimeRefusedError(InputError):
    """The end asked for is over already, or beyond the policy."""

    code = "lifetime-refused"


class InvalidOverlapError(InputError):
    """The overlap is negative, or longer than the policy allows."""

    code = "invalid-overlap"


class LineTooOldError(ConflictError):
    """The line of descent has reached its greatest age: a rotation cannot continue it."""

    code = "line-too-old"


class Policy(Record):
    longest_life: timedelta | None = None
    longest_overlap: timedelta = MAX_OVERLAP
    never_expires_allowed: bool = True
    longest_line: timedelta | None = None
    """Age at which a line of rotated credentials ends, counted from its first: a stolen credential that is
    rotated again and again still ends."""


def checked_expiry(expires_at: datetime | None, policy: Policy, *, at: datetime) -> datetime | None:
    """Return the end, in whole seconds (rounded down) as token caveats count; None never ends.

    Raises:
        LifetimeRefusedError: not in the future, or against the policy.
    """
    if expires_at is None:
        if not policy.never_expires_allowed or policy.longest_life is not None:
            raise LifetimeRefusedError("this server issues nothing without an expiry", hint=_longest(policy))
        return None
    expires_at = expires_at.replace(microsecond=0)
    if expires_at <= at:
        raise LifetimeRefusedError("the expiry must be in the future")
    if policy.longest_life is not None and expires_at - at > policy.longest_life:
        raise LifetimeRefusedError("the expiry is later than this server allows", hint=_longest(policy))
    return expires_at


def checked_overlap(overlap: timedelta, policy: Policy) -> timedelta:
    """Return the overlap; zero is an immediate hand-over.

    Raises:
        InvalidOverlapError: negative, above the policy, or above MAX_OVERLAP.
    """
    longest = min(policy.longest_overlap, MAX_OVERLAP)
    if not timedelta(0) <= overlap <= longest:
        raise InvalidOverlapError(
            "the overlap is out of bounds", hint=f"choose from 0d to {format_duration(longest)}"
        )
    return overlap


def successor_expiry(
    *,
    created_at: datetime,
    expires_at: datetime | None,
    line_started_at: datetime,
    policy: Policy,
    at: datetime,
) -> datetime | None:
    """Return when a successor ends: as long a life as its predecessor had, within the policy and the line.

    Raises:
        LineTooOldError: the line has reached its greatest age.
        LifetimeRefusedError: the policy no longer allows what the predecessor was given, and names no limit.
    """
    ends = []
    if expires_at is not None:
        ends.append(at + (expires_at - created_at))
    if policy.longest_life is not None:
        ends.append(at + policy.longest_life)
    if policy.longest_line is not None:
        last = line_started_at + policy.longest_line
        # Whole seconds: an end in the running second would be no end in the future.
        if last.replace(microsecond=0) <= at:
            raise LineTooOldError("the line has been rotated for too long", hint="issue a new one instead")
        ends.append(last)
    return checked_expiry(min(ends, default=None), policy, at=at)


def _longest(policy: Policy) -> str:
    if policy.longest_life is None:
        return "choose an expiry"
    return f"choose an expiry within {format_duration(policy.longest_life)}"
