"""Do several things at the same time that each wait for somebody else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn, TypeVar

T = TypeVar("T")

MOST_JOBS = 64


def at_once(tasks: Sequence[Callable[[], T]], *, jobs: int) -> list[T]:
    """Return what each task returns, in their order; what one raises is raised."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
    for number in range(len(tasks)):
        todo.put(number)

    def work() -> None:
        while True:
            try:
                number = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, partial(_same, tasks[number]())))
            except BaseException as exc:  # noqa: BLE001 - handed to whoever waits, who raises it
                done.put((number, partial(_raise, exc)))

    # Daemons: whoever interrupts the command does not wait for the slowest page.
    for _ in range(max(1, min(jobs, MOST_JOBS, len(tasks)))):
        threading.Thread(target=work, daemon=True, name="look").start()
    results: dict[int, T] = {}
    while len(results) < len(tasks):
        number, result = done.get()
        results[number] = result()
    return [results[number] for number in range(len(tasks))]


def _same(value: T) -> T:
    return value


def _raise(exc: BaseException) -> NoReturn:
    raise exc
