"""A signal that reaches a worker before its own handlers stand is not lost."""

from __future__ import annotations

import signal

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from sealstead.server.supervisor import Supervisor
from sealstead.server.worker import Worker


def held_back() -> set[int]:
    return {*signal.pthread_sigmask(signal.SIG_BLOCK, [])}


def test_it_waits_from_before_the_fork_until_there_are_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    before, at_the_fork = held_back(), set[int]()

    def fork(_: Arbiter) -> None:
        at_the_fork.update(held_back())
        # In the new process; in this one `spawn_worker` does the same.
        Worker.init_signals(object.__new__(Worker))
        assert held_back() == before
        signal.pthread_sigmask(signal.SIG_BLOCK, at_the_fork)

    monkeypatch.setattr(Arbiter, "spawn_worker", fork)
    monkeypatch.setattr(ThreadWorker, "init_signals", lambda _: None)
    Supervisor.spawn_worker(object.__new__(Supervisor))
    assert {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT} <= at_the_fork
    assert held_back() == before
