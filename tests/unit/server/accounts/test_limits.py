"""Windows at both edges; what counts, what is given back, and that no bucket's name is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sealstead.server.accounts import limits
from sealstead.server.accounts.models import Attempts

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
TICK = timedelta(microseconds=1)


def test_exactly_the_limit_is_allowed() -> None:
    verdicts = [limits.hit("b", 3, WINDOW, AT) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.count for verdict in verdicts] == [1, 2, 3, 4]
    assert [verdict.retry_after for verdict in verdicts] == [timedelta()] * 3 + [WINDOW]


def test_the_window_ends_where_it_says() -> None:
    limits.hit("b", 1, WINDOW, AT)
    late = limits.hit("b", 1, WINDOW, AT + WINDOW - TICK)
    assert (late.allowed, late.retry_after) == (False, TICK)
    assert limits.hit("b", 1, WINDOW, AT + WINDOW).allowed


def test_refused_attempts_do_not_prolong_the_window() -> None:
    for minutes in range(15):
        limits.hit("b", 1, WINDOW, AT + timedelta(minutes=minutes))
    assert limits.hit("b", 1, WINDOW, AT + WINDOW).allowed


def test_buckets_are_apart() -> None:
    limits.hit("a", 1, WINDOW, AT)
    assert limits.hit("b", 1, WINDOW, AT).allowed


def test_looking_does_not_count() -> None:
    assert limits.look("b", 1, AT).allowed
    limits.hit("b", 1, WINDOW, AT)
    for _ in range(2):
        seen = limits.look("b", 1, AT)
        assert (seen.allowed, seen.retry_after) == (False, WINDOW)
    assert limits.look("b", 1, AT + WINDOW).allowed


def test_a_good_attempt_is_given_back() -> None:
    limits.hit("b", 2, WINDOW, AT)
    limits.hit("b", 2, WINDOW, AT)
    limits.give_back("b")
    assert [limits.hit("b", 2, WINDOW, AT).allowed for _ in range(2)] == [True, False]


def test_nothing_is_given_back_below_zero() -> None:
    limits.hit("b", 1, WINDOW, AT)
    for _ in range(3):
        limits.give_back("b")
    assert [limits.hit("b", 1, WINDOW, AT).allowed for _ in range(2)] == [True, False]


def test_forgetting_begins_anew() -> None:
    limits.hit("b", 1, WINDOW, AT)
    limits.forget("b")
    assert limits.hit("b", 1, WINDOW, AT).count == 1


def test_a_full_bucket_raises_with_the_time_to_wait() -> None:
    limits.hit("b", 1, WINDOW, AT).require()
    with pytest.raises(limits.TooManyAttemptsError) as refused:
        limits.hit("b", 1, WINDOW, AT).require()
    assert refused.value.code == "too-many-attempts"
    assert refused.value.retry_after == WINDOW


def test_expired_rows_go_and_others_stay() -> None:
    limits.hit("old", 1, WINDOW, AT - WINDOW)
    limits.hit("new", 1, WINDOW, AT)
    assert limits.clear_expired(AT) == 1
    assert Attempts.objects.count() == 1
    assert not limits.look("new", 1, AT).allowed


def test_names_are_not_stored() -> None:
    limits.hit("password:typed:hunter2", 1, WINDOW, AT)
    assert "hunter2" not in Attempts.objects.get().bucket


@pytest.mark.parametrize(
    ("ip", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_visitor_is_counted_by_network(ip: str | None, counted_as: str) -> None:
    assert limits.network_of(ip) == counted_as
