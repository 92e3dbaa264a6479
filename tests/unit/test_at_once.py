from __future__ import annotations

import threading
import time
from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest

from sealstead import at_once as module
from sealstead.at_once import at_once


def test_results_stand_in_order() -> None:
    assert at_once([partial(pow, number, 2) for number in range(50)], jobs=7) == [n * n for n in range(50)]
    assert at_once([], jobs=3) == []


def test_as_many_at_a_time_as_asked_for() -> None:
    together = threading.Barrier(3, timeout=60)
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


def test_gradually_there_are_few_threads_while_there_is_work_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    # Always at work, also where other programs leave it little of the processor.
    busy = SimpleNamespace(monotonic=time.monotonic, process_time=count(step=1_000_000).__next__)
    monkeypatch.setattr(module, "time", busy)
    threads: set[int] = set()

    def compute(number: int) -> int:
        threads.add(threading.get_ident())
        return sum(range(number, 40_000))

    assert at_once([partial(compute, number) for number in range(100)], jobs=50, gradually=True) == [
        sum(range(number, 40_000)) for number in range(100)
    ]
    assert len(threads) <= 2


def test_gradually_as_many_wait_at_a_time_as_asked_for() -> None:
    together = threading.Barrier(5, timeout=60)
    at_once([together.wait] * 5, jobs=5, gradually=True)


def test_gradually_what_a_task_raises_is_raised() -> None:
    never = threading.Event()
    with pytest.raises(ZeroDivisionError):
        at_once([never.wait, partial(divmod, 1, 0), never.wait], jobs=3, gradually=True)
    never.set()
