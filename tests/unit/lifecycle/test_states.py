from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sealstead.lifecycle.states import STATE_OF, Moments, Standing, State, standing_at, state_at

AT = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("moments", "before", "after"),
    [
        ({"not_before": AT}, Standing.PENDING, Standing.ACTIVE),
        ({"expires_at": AT}, Standing.ACTIVE, Standing.EXPIRED),
        ({"retires_at": AT}, Standing.RETIRING, Standing.RETIRED),
        ({"overdue_at": AT}, Standing.RETIRING, Standing.OVERDUE),
        ({"revoked_at": AT}, Standing.ACTIVE, Standing.REVOKED),
        ({"expires_at": AT, "revoked_at": AT}, Standing.ACTIVE, Standing.REVOKED),
        ({"expires_at": AT, "not_before": AT}, Standing.PENDING, Standing.EXPIRED),
    ],
)
def test_edges_are_exact(moments: dict[str, datetime], before: Standing, after: Standing) -> None:
    facts = Moments(created_at=AT - timedelta(days=9), **moments)
    assert standing_at(facts, AT - TICK) is before
    assert standing_at(facts, AT) is after


def test_every_standing_has_its_state() -> None:
    assert set(STATE_OF) == set(Standing)
    assert state_at(Moments(created_at=AT, revoked_at=AT), AT) is State.DESTROYED
