"""The operator's policy for credentials, out of the settings, and what it says about an expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from sealstead.durations import format_duration
from sealstead.errors import InputError
from sealstead.server.credentials.models import Credential


class LifetimeRefusedError(InputError):
    """The expiry asked for is over already, or beyond the operator's policy."""

    code = "lifetime-refused"


@dataclass(frozen=True, kw_only=True)
class Policy:
    longest_life: timedelta | None
    default_life: timedelta
    longest_overlap: timedelta
    default_overlap: timedelta
    never_expires_allowed: bool
    line_max_age: timedelta | None
    """Oldest age at which a line of rotations still gets successors; they end with it."""


def current_policy() -> Policy:
    config = settings.SEALSTEAD
    longest_life = config.longest_life
    return Policy(
        longest_life=longest_life,
        default_life=config.default_life if longest_life is None else min(config.default_life, longest_life),
        longest_overlap=config.longest_overlap,
        default_overlap=min(config.default_overlap, config.longest_overlap),
        never_expires_allowed=config.allow_never_expires and longest_life is None,
        line_max_age=config.line_max_age,
    )


def checked_expiry(expires_at: datetime | None, *, at: datetime) -> datetime | None:
    """Return the expiry in whole seconds, as caveat 0 counts, so that row and token end together.

    Raises:
        LifetimeRefusedError: not in the future, or against the policy.
    """
    policy = current_policy()
    if expires_at is None:
        if not policy.never_expires_allowed:
            raise LifetimeRefusedError("this server issues no token without an expiry", hint=_longest(policy))
        return None
    expires_at = expires_at.replace(microsecond=0)
    if expires_at <= at:
        raise LifetimeRefusedError("the expiry must be in the future")
    if policy.longest_life is not None and expires_at - at > policy.longest_life:
        raise LifetimeRefusedError("the expiry is later than this server allows", hint=_longest(policy))
    return expires_at


def _longest(policy: Policy) -> str:
    if policy.longest_life is None:
        return "choose an expiry"
    return f"choose an expiry within {format_duration(policy.longest_life)}"


def checked_overlap(overlap: timedelta) -> timedelta:
    """Return the overlap if the policy allows it; zero is an immediate hand-over.

    Raises:
        LifetimeRefusedError: negative, or too long.
    """
    longest = current_policy().longest_overlap
    if not timedelta(0) <= overlap <= longest:
        raise LifetimeRefusedError(
            "the overlap is out of bounds", hint=f"choose from 0d to {format_duration(longest)}"
        )
    return overlap


def successor_expiry(row: Credential, *, at: datetime) -> datetime | None:
    """Return when the successor of `row` ends: as long a life again, never past the age limit of its line.

    Raises:
        LifetimeRefusedError: the line has reached its limit.
    """
    policy = current_policy()
    expires_at = None if row.expires_at is None else at + (row.expires_at - row.created_at)
    ends = [moment for moment in (expires_at, _limit(at, policy.longest_life)) if moment]
    if policy.line_max_age is not None:
        last = row.line_started_at + policy.line_max_age
        if last <= at:
            raise LifetimeRefusedError(
                f"the token {row.name!r} has been rotated for too long", hint="add a new token instead"
            )
        ends.append(last)
    return checked_expiry(min(ends, default=None), at=at)


def _limit(at: datetime, life: timedelta | None) -> datetime | None:
    return None if life is None else at + life
