from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sealstead.clock import SystemClock, moment_text, serialize_moment


def test_now_is_aware_utc_and_the_machines() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_a_moment_is_written_in_utc_to_the_second() -> None:
    at = datetime(2026, 11, 21, 1, 2, 3, 456_789, tzinfo=timezone(timedelta(hours=2)))
    assert moment_text(at) == "2026-11-20 23:02:03 UTC"
    assert serialize_moment(at) == "2026-11-20T23:02:03Z"
