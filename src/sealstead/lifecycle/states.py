"""The state of a credential, derived from its moments and never stored: no job has to run for one to stop.

Rules:
  * a start is inclusive and an end exclusive, to the microsecond;
  * revocation beats every other moment, an end beats being disabled, and that beats a start;
  * a credential is accepted exactly while its NIST state is active.

The states are those of NIST SP 800-57 part 1 revision 5, section 7; `Standing` is the finer word that people read.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sealstead.record import Record


class State(enum.StrEnum):
    """NIST SP 800-57 part 1, section 7."""

    PRE_ACTIVATION = "pre-activation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    DESTROYED = "destroyed"


class Standing(enum.StrEnum):
    """What a list shows."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRING = "retiring"
    """Has a successor, and is accepted until the overlap ends."""
    OVERDUE = "overdue"
    """Has a successor and was to be ended by hand; the overlap is over and nobody has."""
    DISABLED = "disabled"
    """Refused until somebody enables it again; its ends come all the same."""
    RETIRED = "retired"
    EXPIRED = "expired"
    REVOKED = "revoked"


STATE_OF: dict[Standing, State] = {
    Standing.PENDING: State.PRE_ACTIVATION,
    Standing.ACTIVE: State.ACTIVE,
    Standing.RETIRING: State.ACTIVE,
    Standing.OVERDUE: State.ACTIVE,
    Standing.DISABLED: State.SUSPENDED,
    Standing.RETIRED: State.DEACTIVATED,
    Standing.EXPIRED: State.DEACTIVATED,
    Standing.REVOKED: State.DESTROYED,
}

LIVING = frozenset(
    {Standing.PENDING, Standing.ACTIVE, Standing.RETIRING, Standing.OVERDUE, Standing.DISABLED}
)
"""Not at an end: what a line still has to lose."""


_WORDS: dict[str, str] = {Standing.RETIRED: "revoked automatically by rotation"}


def words_of(standing: str) -> str:
    """Return what English texts say for a `Standing`, and for what a newer server may call one: mostly the word itself."""
    return _WORDS.get(standing, str(standing))


class Moments(Record):
    """What a credential's state follows from; all aware UTC."""

    created_at: datetime
    not_before: datetime | None = None
    expires_at: datetime | None = None
    retires_at: datetime | None = None
    """Rotation: from here on only the successor is accepted."""
    overdue_at: datetime | None = None
    """Rotation that left the end to a person: from here on it is late."""
    disabled_at: datetime | None = None
    """Set while it is not to be accepted; enabling clears it."""
    revoked_at: datetime | None = None


def standing_at(moments: Moments, at: datetime) -> Standing:
    if moments.revoked_at is not None and at >= moments.revoked_at:
        return Standing.REVOKED
    if moments.expires_at is not None and at >= moments.expires_at:
        return Standing.EXPIRED
    if moments.retires_at is not None and at >= moments.retires_at:
        return Standing.RETIRED
    if moments.disabled_at is not None and at >= moments.disabled_at:
        return Standing.DISABLED
    if at < max(moments.created_at, moments.not_before or moments.created_at):
        return Standing.PENDING
    if moments.retires_at is not None:
        return Standing.RETIRING
    if moments.overdue_at is not None:
        return Standing.OVERDUE if at >= moments.overdue_at else Standing.RETIRING
    return Standing.ACTIVE


def state_at(moments: Moments, at: datetime) -> State:
    return STATE_OF[standing_at(moments, at)]


def is_accepted(moments: Moments, at: datetime) -> bool:
    return state_at(moments, at) is State.ACTIVE


def end_of(moments: Moments) -> datetime | None:
    """Return the first moment at which it is accepted no more, as far as is settled now; None: no end in sight."""
    ends = (moments.expires_at, moments.retires_at, moments.revoked_at)
    return min((moment for moment in ends if moment is not None), default=None)
