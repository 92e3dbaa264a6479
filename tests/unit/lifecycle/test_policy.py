from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sealstead.lifecycle.policy import LifetimeRefusedError, Policy, checked_expiry

AT = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)
DAY = timedelta(days=1)


def test_expiry_is_rounded_down_to_seconds() -> None:
    assert checked_expiry(AT + DAY, Policy(), at=AT) == (AT + DAY).replace(microsecond=0)


@pytest.mark.parametrize("expires_at", [AT, AT - DAY, AT + timedelta(microseconds=1)])
def test_not_in_the_future(expires_at: datetime) -> None:
    with pytest.raises(LifetimeRefusedError):
        checked_expiry(expires_at, Policy(), at=AT)


def test_longest_life_is_inclusive() -> None:
    policy = Policy(longest_life=DAY)
    assert checked_expiry(AT + DAY, policy, at=AT) is not None
    with pytest.raises(LifetimeRefusedError):
        checked_expiry(AT + DAY + timedelta(seconds=1), policy, at=AT)


@pytest.mark.parametrize("policy", [Policy(never_expires_allowed=False), Policy(longest_life=DAY)])
def test_never_is_refused_where_the_policy_has_an_end(policy: Policy) -> None:
    with pytest.raises(LifetimeRefusedError):
        checked_expiry(None, policy, at=AT)


def test_never_is_allowed_by_default() -> None:
    assert checked_expiry(None, Policy(), at=AT) is None
