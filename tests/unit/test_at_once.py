from __future__ import annotations

import threading
from functools import partial

import pytest

from sealstead.at_once import at_once


def test_results_stand_in_order() -> None:
    assert at_once([partial(pow, number, 2) for number in range(50)], jobs=7) == [n * n for n in range(50)]
    assert at_once([], jobs=3) == []


def test_as_many_at_a_time_as_asked_for() -> None:
    together = threading.Barrier(3, timeout=10)
    at_once([together.wait] * 3, jobs=3)


def test_never_more() -> None:
    running: set[int] = set()
    most: list[int] = []
    lock = threading.Lock()

    def task(number: int) -> None:
        with lock:
            running.add(number)
            most.append(len(running))
        with lock:
            running.discard(number)

    at_once([partial(task, number) for number in range(30)], jobs=2)
    assert max(most) <= 2


def test_what_a_task_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once([partial(divmod, 1, 0), partial(divmod, 1, 1)], jobs=2)
