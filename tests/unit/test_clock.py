from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sealstead.clock import SystemClock


def test_now_is_aware_utc_and_the_machines() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
