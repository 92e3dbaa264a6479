"""How many connections each worker has, told to all of them: who has more leaves a new one to who has fewer.

All workers wait at one listening socket, and whichever wakes first would take all that wait there: a burst of sixteen
connections ends at one worker as often as not, and the processor of the other stands still.

The numbers are advice. Nothing is locked, and who finds a stale one has waited in vain for `STAND_BACK_SECONDS`.
"""

from __future__ import annotations

import mmap
from typing import Final

STAND_BACK_SECONDS: Final = 0.005
_SLOTS: Final = 600
"""More than there are workers, also while a reload starts new ones beside the old."""
_FREE, _CLOSED = 0, -1


class ConnectionCounts:
    """A number for each worker, in memory that a process shares with those it forks."""

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _SLOTS * 4)).cast("i")

    def claim(self) -> int:
        """Return the place of a new worker, which accepts nothing yet. Only for the process that forks."""
        slot = next((slot for slot in range(_SLOTS - 1) if self._numbers[slot] == _FREE), _SLOTS - 1)
        self.close(slot)
        return slot

    def release(self, slot: int) -> None:
        """Let the next worker have the place of one that has ended."""
        self._numbers[slot] = _FREE

    def close(self, slot: int) -> None:
        """Nobody waits for this worker to accept."""
        self._numbers[slot] = _CLOSED

    def tell(self, slot: int, connections: int) -> None:
        self._numbers[slot] = connections + 1

    def others_have_fewer(self, slot: int) -> bool:
        """Tell whether a worker that accepts has fewer connections than this one."""
        numbers = self._numbers.tolist()
        return min(set(numbers) - {_FREE, _CLOSED}, default=_FREE) < numbers[slot]
