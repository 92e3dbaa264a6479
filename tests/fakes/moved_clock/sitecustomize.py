"""On PYTHONPATH of a server process: its clock runs so many seconds ahead as the file AHEAD_OF_CLOCK says."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from sealstead.clock import SystemClock

_AHEAD = Path(os.environ["AHEAD_OF_CLOCK"])
_now = SystemClock.now


def _moved(self: SystemClock) -> datetime:
    return _now(self) + timedelta(seconds=float(_AHEAD.read_text()))


SystemClock.now = _moved  # type: ignore[method-assign]
