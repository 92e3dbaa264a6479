from datetime import timedelta

import pytest

from sealstead.durations import InvalidDurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7d", timedelta(days=7)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("2w", timedelta(weeks=2)),
        ("3", timedelta(days=3)),
    ],
)
def test_units(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5d", "7 d d", "\u0661d", "999999w", "1e3"])
def test_refused(text: str) -> None:
    with pytest.raises(InvalidDurationError):
        parse_duration(text)
