"""Plan a rotation: one successor, both accepted until the predecessor retires.

Rules (the caller carries the plan out in one transaction):
  * repeating a rotation with the same idempotency key returns the same successor;
  * any other second rotation is refused once the successor has been used, and supersedes one never used.
    Either is worth an alarm: it may be a thief;
  * so there are never two living successors;
  * the overlap never outlasts the predecessor's own end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sealstead.errors import ConflictError
from sealstead.lifecycle.policy import Policy, checked_overlap, successor_expiry
from sealstead.lifecycle.states import LIVING, Moments, Standing, State, standing_at, state_at
from sealstead.record import Record


class NotRotatableError(ConflictError):
    """Revoked, expired, retired or not yet valid: there is nothing to hand over."""

    code = "not-rotatable"


class AlreadyRotatedError(ConflictError):
    """It has a successor in use. `successor` names it."""

    code = "already-rotated"

    def __init__(self, message: str, *, successor: UUID | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.successor = successor


class Link(Record):
    """One credential of a line, as far as rotation cares."""

    id: UUID
    moments: Moments
    name: str = ""
    """Its public id, where it has another one than `id`."""
    used: bool = False
    rotation_key: str = ""
    """Hash of the idempotency key of the rotation that made it; blank if none was given."""


class Repeat(Record):
    """This rotation has been made before: its successor, unchanged."""

    successor: UUID


class Rotation(Record):
    """What to write. Exactly one of `retires_at` and `overdue_at` is set."""

    retires_at: datetime | None
    overdue_at: datetime | None
    successor_expires_at: datetime | None
    supersedes: tuple[UUID, ...] = ()
    """Successors never used, whose lines end now."""


_REASONS = {
    Standing.PENDING: "it is not valid yet",
    Standing.EXPIRED: "it has expired",
    Standing.RETIRED: "it has been replaced by a newer one",
    Standing.REVOKED: "it is revoked",
    Standing.DISABLED: "it is disabled",
}


def overlap_end(rotated_at: datetime, overlap: timedelta, expires_at: datetime | None) -> datetime:
    """Return the moment at which the predecessor stops being accepted.

    Both verify from `rotated_at` (inclusive) to the returned moment (exclusive). Zero is an immediate hand-over.
    """
    end = rotated_at + overlap
    return end if expires_at is None else min(end, expires_at)


def plan_rotation(
    predecessor: Link,
    successors: Sequence[Link],
    *,
    at: datetime,
    overlap: timedelta,
    policy: Policy,
    line_started_at: datetime,
    rotation_key: str = "",
    auto_revoke: bool = True,
) -> Rotation | Repeat:
    """Decide what rotating `predecessor` does; `successors` are those made from it so far.

    Raises:
        NotRotatableError, AlreadyRotatedError: as they say.
        InvalidOverlapError, LifetimeRefusedError, LineTooOldError: against the policy.
    """
    overlap = checked_overlap(overlap, policy)
    # Those that ended by themselves count too: a used one shows that the line has moved on, and may have descendants.
    unrevoked = [link for link in successors if link.moments.revoked_at is None]
    for link in unrevoked:
        if rotation_key and link.rotation_key == rotation_key and standing_at(link.moments, at) in LIVING:
            # Also after an overlap of zero, when the predecessor is not accepted any more.
            return Repeat(successor=link.id)
    if state_at(predecessor.moments, at) is not State.ACTIVE:
        reason = _REASONS.get(standing_at(predecessor.moments, at), "it is not accepted")
        raise NotRotatableError(reason, hint="issue a new one instead")
    for link in unrevoked:
        if link.used:
            raise AlreadyRotatedError(
                f"it has a successor in use: {link.name or link.id}",
                successor=link.id,
                hint="rotate the successor, or revoke it if it is not yours",
            )
    moments = predecessor.moments
    end = overlap_end(at, overlap, moments.expires_at)
    if moments.retires_at is not None:
        # A second rotation must not lengthen what the first has settled.
        end = min(end, moments.retires_at)
    return Rotation(
        retires_at=end if auto_revoke or moments.retires_at is not None else None,
        overdue_at=None if auto_revoke or moments.retires_at is not None else end,
        successor_expires_at=successor_expiry(
            created_at=moments.created_at,
            expires_at=moments.expires_at,
            line_started_at=line_started_at,
            policy=policy,
            at=at,
        ),
        supersedes=tuple(link.id for link in unrevoked),
    )
