"""Group commit on a real database: durable when it returns, one failure is nobody else's, groups form under load."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from tests.tokens import T0

from sealstead.server.accounts.models import OneTimeMark
from sealstead.server.group_commit import NEXT_FILE, GroupCommit

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

END = int(T0.timestamp())
LIMIT = 60
"""Seconds that only a broken program lets pass."""


class Notes:
    """Writes one row for each job; a job called `bad` breaks, one called `slow` waits until it may go on."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.order: list[str] = []
        """Jobs as they were written: who is told of it runs in a thread that others may overtake."""
        self.go_on = threading.Event()
        self.began = threading.Event()
        self.commit = GroupCommit(self._write)

    def _write(self, jobs: Sequence[str]) -> None:
        assert connection.in_atomic_block
        for job in jobs:
            OneTimeMark.objects.create(mark=job, expires_at_us=END)
        self.order.extend(jobs)
        if "slow" in jobs:
            self.began.set()
            assert self.go_on.wait(LIMIT)
        if "bad" in jobs:
            raise ValueError("bad")
        self.groups.append(len(jobs))


@pytest.fixture
def notes() -> Iterator[Notes]:
    notes = Notes()
    yield notes
    notes.commit.close()


def written() -> set[str]:
    return set(OneTimeMark.objects.values_list("mark", flat=True))


def until_somebody_is_next() -> None:
    """Return when a writer waits for the turn; one that has only taken its job from the queue does not yet."""
    with (settings.SEALSTEAD.data_dir / NEXT_FILE).open("rb") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(lock, fcntl.LOCK_UN)
            threading.Event().wait(0.01)


def test_what_returned_is_there_for_everybody(notes: Notes) -> None:
    notes.commit.commit("one")
    assert written() == {"one"}


def test_whatever_waits_goes_into_one_commit_and_a_bad_one_alone_fails(notes: Notes) -> None:
    with ThreadPoolExecutor(12) as threads:
        slow = threads.submit(notes.commit.commit, "slow")
        assert notes.began.wait(LIMIT)
        # These gather behind it.
        bad = threads.submit(notes.commit.commit, "bad")
        good = [threads.submit(notes.commit.commit, f"good {number}") for number in range(8)]
        while notes.commit._writer is None or notes.commit._writer._queue.qsize() < 9:
            notes.began.wait(0.01)
        notes.go_on.set()
        for one in (slow, *good):
            one.result(LIMIT)
        with pytest.raises(ValueError, match="bad"):
            bad.result(LIMIT)
    assert written() == {"slow", *(f"good {number}" for number in range(8))}
    # The group of nine was undone for the bad one, and the good ones written one by one.
    assert notes.groups == [1] * 9


def test_a_group_is_one_transaction(notes: Notes) -> None:
    with ThreadPoolExecutor(12) as threads:
        first = threads.submit(notes.commit.commit, "slow")
        assert notes.began.wait(LIMIT)
        others = [threads.submit(notes.commit.commit, f"n{number}") for number in range(8)]
        while notes.commit._writer is None or notes.commit._writer._queue.qsize() < 8:
            notes.began.wait(0.01)
        notes.go_on.set()
        for one in (first, *others):
            one.result(LIMIT)
    assert notes.groups == [1, 8]


def test_the_turn_goes_to_who_has_waited_not_to_who_had_it(notes: Notes) -> None:
    """Two writers, as two processes have; the one that has just written has more to write at once."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has more than one writer at a time")
    other, told = Notes(), SimpleQueue[BaseException | None]()
    other.order = notes.order
    other.go_on.set()
    try:
        notes.commit.commit_later("slow", told.put)
        assert notes.began.wait(LIMIT)
        other.commit.commit_later("other", told.put)
        until_somebody_is_next()
        again = [f"again {number}" for number in range(70)]  # more than one group
        for name in again:
            notes.commit.commit_later(name, told.put)
        notes.go_on.set()
        assert {told.get(timeout=LIMIT) for _ in range(72)} == {None}
    finally:
        other.commit.close()
    assert notes.order[:3] == ["slow", "other", "again 0"]
    assert written() >= {"slow", "other", *again}


def test_the_database_s_own_refusal_arrives(notes: Notes) -> None:
    notes.commit.commit("twice")
    with pytest.raises(DatabaseError):
        notes.commit.commit("twice")
    notes.commit.commit("after")
    assert written() == {"twice", "after"}


def test_who_does_not_wait_is_told_once_it_is_there_for_everybody(notes: Notes) -> None:
    told: SimpleQueue[tuple[str, BaseException | None, set[str]]] = SimpleQueue()

    def tell(name: str, error: BaseException | None) -> None:
        told.put((name, error, written()))
        if name == "rude":
            raise ValueError("whoever listens may be broken")

    for name in ("slow", "rude", "bad", "good"):
        notes.commit.commit_later(name, partial(tell, name))
    notes.go_on.set()
    found = {name: (error, there) for name, error, there in (told.get(timeout=LIMIT) for _ in range(4))}
    notes.commit.commit("after")
    assert isinstance(found.pop("bad")[0], ValueError)
    assert all(error is None and name in there for name, (error, there) in found.items())
    assert written() == {"slow", "rude", "good", "after"}


def test_within_a_transaction_a_job_belongs_to_it(notes: Notes) -> None:
    with transaction.atomic():
        notes.commit.commit("mine")
        told: list[object] = []
        notes.commit.commit_later("mine too", told.append)
        notes.commit.commit_later("bad", told.append)
        assert told[0] is None
        assert isinstance(told[1], ValueError)
        transaction.set_rollback(True)
    assert written() == set()


def test_after_the_end_another_writer_begins(notes: Notes) -> None:
    notes.commit.commit("one")
    notes.commit.close()
    notes.commit.close()
    notes.commit.commit("two")
    assert written() == {"one", "two"}
