"""Do several things at the same time that each wait for somebody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_JOBS = 64
_FEW = 2
_A_LOOK_SECONDS = 0.004
_BUSY = 0.5
"""Whoever computes for half of the time is not waiting."""


def at_once(tasks: Sequence[Callable[[], T]], *, jobs: int, gradually: bool = False) -> list[T]:
    """Return what each task returns, in their order; what one raises is raised.

    `gradually`: begin with few threads, and add another, up to `jobs`, as long as the program does little but wait.
    For tasks that do their own work in Python: there, threads that do not wait for others wait for each other.
    """
    work = _Work(tasks)
    most = max(1, min(jobs, MOST_JOBS, len(tasks))) if tasks else 0
    for number in range(most):
        if gradually and number >= _FEW:
            work.wait_while_busy()
        if work.ended.is_set():
            break
        # A daemon: whoever interrupts the command does not wait for the slowest page.
        threading.Thread(target=work.run, daemon=True, name="look").start()
    if tasks:
        work.ended.wait()
    if work.failures:
        raise work.failures[0]
    return [work.results[number] for number in range(len(tasks))]


class _Work(Generic[T]):
    def __init__(self, tasks: Sequence[Callable[[], T]]) -> None:
        self.tasks = tasks
        self.todo = list(range(len(tasks) - 1, -1, -1))
        self.results: dict[int, T] = {}
        self.failures: list[BaseException] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.failures:
            try:
                number = self.todo.pop()
            except IndexError:
                return
            try:
                self.results[number] = self.tasks[number]()
            except BaseException as exc:  # noqa: BLE001 - handed to whoever waits, who raises it
                self.failures.append(exc)
            if self.failures or len(self.results) == len(self.tasks):
                self.ended.set()

    def wait_while_busy(self) -> None:
        busy = True
        while busy and not self.ended.is_set():
            began, used = time.monotonic(), time.process_time()
            self.ended.wait(_A_LOOK_SECONDS)
            busy = time.process_time() - used > _BUSY * (time.monotonic() - began)
