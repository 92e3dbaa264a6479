"""Idempotency keys of two workers at the same instant: the database decides who came first."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.tokens import T0

from sealstead.server.audit.models import Event
from sealstead.server.group_commit import GroupCommit
from sealstead.server.signing import records
from sealstead.server.signing.models import SignRequest
from sealstead.server.signing.records import KEPT, Mark, SignRecord, clear_expired, find_seen, pack

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

FIRST = {"request_id": "first"}


class Worker:
    """Writes as a process does, with a connection of its own; its first commit waits until `go_on`."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self.commit = GroupCommit(self._write)

    def _write(self, jobs: Sequence[SignRecord]) -> None:
        records._write(jobs)
        self.began.set()
        assert self.go_on.wait(60)


@pytest.fixture
def workers() -> Iterator[tuple[Worker, Worker]]:
    both = Worker(), Worker()
    yield both
    for one in both:
        one.commit.close()


def record(request: str, answer: dict[str, str]) -> SignRecord:
    event = Event(tag="signature:made", at=T0, details={"asked": request})
    return SignRecord(
        event=event, mark=Mark(mark="m", request=request, answer=pack(json.dumps(answer).encode()))
    )


@pytest.mark.parametrize("asked", ["same", "another"])
def test_of_two_workers_one_answers(workers: tuple[Worker, Worker], asked: str) -> None:
    first, second = record("same", FIRST), record(asked, {"request_id": "second"})
    one, other = workers
    other.go_on.set()
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(one.commit.commit, first)
        assert one.began.wait(60)
        waiting = threads.submit(other.commit.commit, second)
        one.go_on.set()
        running.result(60)
        waiting.result(60)
    marks = [job.mark for job in (first, second) if job.mark is not None]
    assert [mark.seen.answer if mark.seen else None for mark in marks] == [None, FIRST]
    assert [mark.clashes for mark in marks] == [False, asked == "another"]
    # What another asked was not signed, as far as anybody will ever see.
    made = [{"asked": "same"}] + ([] if asked == "another" else [{"asked": "same", "repeated": True}])
    assert [event.details for event in Event.objects.order_by("id")] == made


def test_of_two_in_one_commit_one_answers(workers: tuple[Worker, Worker]) -> None:
    one = workers[0]
    last = [record("same", FIRST), record("same", {}), record("another", {})]
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(one.commit.commit, SignRecord(event=Event(tag="x", at=T0)))]
        assert one.began.wait(60)
        for job in last:
            running.append(threads.submit(one.commit.commit, job))
            while one.commit._writer is None or one.commit._writer._queue.qsize() < len(running) - 1:
                one.go_on.wait(0.001)
        one.go_on.set()
        for each in running:
            each.result(60)
    seen = [job.mark.seen for job in last if job.mark is not None]
    assert [None if one is None else one.answer for one in seen] == [None, FIRST, FIRST]
    assert Event.objects.filter(tag="signature:made").count() == 2


def test_answers_are_forgotten_when_their_time_is_over() -> None:
    SignRequest.objects.bulk_create(
        SignRequest(
            mark=str(number),
            request="",
            answer=pack(json.dumps(FIRST).encode()),
            expires_at=T0 + timedelta(number % 2),
        )
        for number in range(1_100)
    )
    clear_expired(T0)
    assert SignRequest.objects.count() == 550
    assert find_seen("1", T0) is not None
    clear_expired(T0 + KEPT + timedelta(1))
    assert not SignRequest.objects.exists()
