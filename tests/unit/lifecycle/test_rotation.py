from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from sealstead.lifecycle.policy import InvalidOverlapError, LineTooOldError, Policy
from sealstead.lifecycle.rotation import (
    AlreadyRotatedError,
    Link,
    NotRotatableError,
    Repeat,
    Rotation,
    plan_rotation,
)
from sealstead.lifecycle.states import Moments, Standing, standing_at
from sealstead.record import replace

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def plan(
    predecessor: Link,
    *successors: Link,
    at: datetime = AT,
    overlap: timedelta = 7 * DAY,
    policy: Policy | None = None,
    key: str = "",
    auto_revoke: bool = True,
) -> Rotation | Repeat:
    return plan_rotation(
        predecessor,
        successors,
        at=at,
        overlap=overlap,
        policy=policy or Policy(),
        line_started_at=AT,
        rotation_key=key,
        auto_revoke=auto_revoke,
    )


def link(**moments: datetime | None) -> Link:
    return Link(id=uuid4(), moments=Moments(created_at=AT - DAY, **moments))


def test_the_same_key_gives_the_same_successor_even_after_an_overlap_of_zero() -> None:
    successor = replace(link(), rotation_key="k", used=True)
    assert plan(link(retires_at=AT), successor, at=AT, key="k") == Repeat(successor=successor.id)
    with pytest.raises(NotRotatableError):
        plan(link(retires_at=AT), successor, at=AT, key="other")


def test_a_blank_key_never_matches() -> None:
    successor = replace(link(), rotation_key="")
    assert isinstance(plan(link(retires_at=AT + DAY), successor), Rotation)


def test_a_used_successor_blocks_another_rotation_and_is_named() -> None:
    successor = replace(link(), used=True)
    with pytest.raises(AlreadyRotatedError) as caught:
        plan(link(retires_at=AT + DAY), successor)
    assert caught.value.successor == successor.id


@pytest.mark.parametrize("auto_revoke", [True, False])
def test_an_overlap_never_outlasts_the_predecessor_s_own_end(*, auto_revoke: bool) -> None:
    for ends, expected in ((AT + 2 * DAY, AT + 2 * DAY), (AT + 9 * DAY, AT + 7 * DAY), (None, AT + 7 * DAY)):
        result = plan(link(expires_at=ends), auto_revoke=auto_revoke)
        assert isinstance(result, Rotation)
        assert (result.retires_at, result.overdue_at) == (
            (expected, None) if auto_revoke else (None, expected)
        )


def test_an_unused_successor_is_superseded() -> None:
    successor = link()
    result = plan(link(retires_at=AT + DAY), successor)
    assert isinstance(result, Rotation)
    assert result.supersedes == (successor.id,)
    assert result.retires_at == AT + DAY


def test_a_revoked_successor_does_not_count() -> None:
    result = plan(link(retires_at=AT + DAY), replace(link(revoked_at=AT), used=True))
    assert isinstance(result, Rotation)
    assert result.supersedes == ()


@pytest.mark.parametrize(
    "ended", [{"revoked_at": AT}, {"expires_at": AT}, {"retires_at": AT}, {"not_before": AT + DAY}]
)
def test_what_is_not_accepted_is_not_rotated(ended: dict[str, datetime]) -> None:
    with pytest.raises(NotRotatableError):
        plan(link(**ended))


@pytest.mark.parametrize(
    "overlap", [-timedelta(microseconds=1), 30 * DAY + timedelta(microseconds=1), 10_000 * DAY]
)
def test_overlap_out_of_bounds(overlap: timedelta) -> None:
    with pytest.raises(InvalidOverlapError):
        plan(link(), overlap=overlap)


def test_overlap_bounds_are_inclusive_and_policy_narrows_them() -> None:
    for overlap in (timedelta(0), 30 * DAY):
        assert isinstance(plan(link(), overlap=overlap), Rotation)
    with pytest.raises(InvalidOverlapError):
        plan(link(), overlap=2 * DAY, policy=Policy(longest_overlap=DAY))


def test_left_to_a_person_it_stays_valid_and_is_overdue_afterwards() -> None:
    result = plan(link(), auto_revoke=False)
    assert isinstance(result, Rotation)
    assert (result.retires_at, result.overdue_at) == (None, AT + 7 * DAY)
    moments = Moments(created_at=AT, overdue_at=result.overdue_at)
    assert standing_at(moments, AT) is Standing.RETIRING
    assert standing_at(moments, AT + 7 * DAY) is Standing.OVERDUE


def test_the_line_has_a_greatest_age() -> None:
    policy = Policy(longest_line=10 * DAY)
    result = plan(link(expires_at=AT + 99 * DAY), policy=policy)
    assert isinstance(result, Rotation)
    assert result.successor_expires_at == AT + 10 * DAY
    with pytest.raises(LineTooOldError):
        plan(link(), at=AT + 10 * DAY, policy=policy)


def test_the_successor_lives_as_long_again() -> None:
    result = plan(link(expires_at=AT + 29 * DAY))
    assert isinstance(result, Rotation)
    assert result.successor_expires_at == AT + 30 * DAY


@pytest.mark.parametrize("used", [True, False])
def test_a_successor_that_ended_by_itself_still_counts(used: bool) -> None:
    expired = replace(link(expires_at=AT), used=used)
    if used:
        with pytest.raises(AlreadyRotatedError):
            plan(link(retires_at=AT + DAY), expired)
    else:
        result = plan(link(retires_at=AT + DAY), expired)
        assert isinstance(result, Rotation)
        assert result.supersedes == (expired.id,)
