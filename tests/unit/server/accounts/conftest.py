from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> datetime:
        self.moment += by
        return self.moment


@pytest.fixture
def fake_clock(settings: Any) -> FakeClock:
    clock = FakeClock()
    settings.SEALSTEAD = replace(settings.SEALSTEAD, clock=clock)
    return clock
