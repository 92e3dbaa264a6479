"""Laws of durations: whatever is typed is a duration within the bounds, or an `InvalidDurationError`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sealstead.durations import LONGEST, InvalidDurationError, format_duration, parse_duration

MINUTES = int(LONGEST.total_seconds()) // 60
durations = st.integers(0, MINUTES).map(lambda minutes: timedelta(minutes=minutes))
typed = st.from_regex(r"\A[ ]*[0-9]{1,9}[wdhmWDHM]?[ ]*\Z") | st.text(max_size=12)


@given(durations)
@example(timedelta(0))
@example(LONGEST)
def test_round_trip(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(text=typed)
@example("99999999w")
@example("999999999m")
@example("36500d")
@example("36501d")
@example("876001h")
def test_within_the_bounds_or_refused(text: str) -> None:
    try:
        value = parse_duration(text)
    except InvalidDurationError:
        return
    assert timedelta(0) <= value <= LONGEST


@given(text=typed, bounds=st.tuples(durations, durations).map(sorted))
def test_both_bounds_are_inclusive(text: str, bounds: list[timedelta]) -> None:
    shortest, longest = bounds
    for edge in bounds:
        assert parse_duration(format_duration(edge), shortest=shortest, longest=longest) == edge
    try:
        value = parse_duration(text, shortest=shortest, longest=longest)
    except InvalidDurationError:
        return
    assert shortest <= value <= longest


@given(st.tuples(durations, durations).map(sorted), st.integers(1, 60))
def test_one_minute_beyond_a_bound_is_refused(bounds: list[timedelta], minutes: int) -> None:
    shortest, longest = bounds
    step = timedelta(minutes=minutes)
    outside = [longest + step] + ([shortest - step] if shortest >= step else [])
    for value in outside:
        with pytest.raises(InvalidDurationError):
            parse_duration(format_duration(value), shortest=shortest, longest=longest)


@given(text=typed, year=st.integers(2020, 9000))
def test_date_arithmetic_cannot_overflow(text: str, year: int) -> None:
    """Each accepted duration can be added to, and taken from, every moment of a server's life."""
    try:
        value = parse_duration(text)
    except InvalidDurationError:
        return
    moment = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    assert moment + value >= moment >= moment - value


@given(st.integers(0, 36_500))
def test_a_bare_number_counts_days(days: int) -> None:
    assert parse_duration(str(days)) == parse_duration(f"{days}d") == timedelta(days=days)


@given(st.text(min_size=9, max_size=200))
def test_a_refusal_shows_a_part_of_what_was_typed_on_one_line(text: str) -> None:
    with pytest.raises(InvalidDurationError) as refusal:
        parse_duration(f"{text}x")
    assert refusal.value.code == "invalid-duration"
    assert refusal.value.message == f"{text[:40]!r} is not a duration" or len(text) < 40
    assert "\n" not in refusal.value.message
