"""Group commit: what several requests must have on disk before they answer is written in one transaction.

A commit waits for the disk, and SQLite has one writer. Threads that each commit for themselves would wait in a row; here they
hand their job to one writer thread of the process, which takes all that are waiting, writes them together and lets every one of
them go on. While it waits for the disk the next group gathers, so the group is as large as the load asks for.

Rules:
  * `commit` returns when the job is durable, or raises what it raised; there is no third outcome. `commit_later` tells
    the same, once, in the writer's thread, to who would rather do something else meanwhile;
  * a job that fails takes nobody with it: its group is undone and then written one by one;
  * within a transaction of the caller a job joins that: it is durable or undone with it.

Processes beside one another on SQLite take turns by locks on files: SQLite itself makes whoever comes second sleep,
for longer each time. A group is whatever waits when the turn has come.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

LARGEST_GROUP = 64
LOCK_FILE, NEXT_FILE = "commit.lock", "commit-next.lock"

J = TypeVar("J")
Tell = Callable[[BaseException | None], None]
"""Called with None when the job is durable, else with what writing it raised."""

_log = structlog.get_logger(__name__)


class _Waiting(Generic[J]):
    __slots__ = ("error", "job", "tell")

    def __init__(self, job: J, tell: Tell) -> None:
        self.job, self.tell = job, tell
        self.error: BaseException | None = None


class GroupCommit(Generic[J]):
    """Writes jobs with `write`, in the current transaction, all of a group by one call."""

    def __init__(self, write: Callable[[Sequence[J]], None]) -> None:
        self._write_jobs = write
        self._writer: _Writer[J] | None = None
        self._making = threading.Lock()

    def commit(self, job: J) -> None:
        """Have `job` written and return when it is durable.

        Raises:
            Exception: whatever writing it raised; nothing of it was written.
        """
        if connection.in_atomic_block:
            self._write_jobs([job])
            return
        done = threading.Lock()
        done.acquire()
        waiting = _Waiting(job, lambda _error: done.release())
        self._current().put(waiting)
        done.acquire()
        if waiting.error is not None:
            raise waiting.error

    def commit_later(self, job: J, tell: Tell) -> None:
        """Have `job` written and return at once.

        `tell` runs between two commits: whatever it does, all others wait for it. Within a transaction of the caller it is
        called before this returns.
        """
        if not connection.in_atomic_block:
            self._current().put(_Waiting(job, tell))
            return
        try:
            self._write_jobs([job])
        except Exception as exc:  # noqa: BLE001 - told, as the writer's thread would
            tell(exc)
        else:
            tell(None)

    def _current(self) -> _Writer[J]:
        writer = self._writer
        # A thread does not survive a fork: each process makes its own.
        if writer is None or writer.process != os.getpid():
            with self._making:
                if self._writer is None or self._writer.process != os.getpid():
                    self._writer = _Writer(self._write_jobs)
                writer = self._writer
        return writer

    def close(self) -> None:
        """Write what was handed over, and end the thread and its connection; the next job starts another."""
        writer, self._writer = self._writer, None
        if writer is not None and writer.process == os.getpid():
            writer.close()


class _Writer(Generic[J]):
    """The thread of one process, with its own connection to the database."""

    def __init__(self, write: Callable[[Sequence[J]], None]) -> None:
        self.process = os.getpid()
        self._write_jobs = write
        self._queue: SimpleQueue[_Waiting[J] | None] = SimpleQueue()
        self._directory: Path | None = settings.SEALSTEAD.data_dir if connection.vendor == "sqlite" else None
        self._descriptors: tuple[int, ...] = ()
        # A daemon: whoever waits for a commit keeps the process alive, not the writer.
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def put(self, waiting: _Waiting[J]) -> None:
        self._queue.put(waiting)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                if self._serve(first):
                    return
        finally:
            connection.close()
            for descriptor in self._descriptors:
                os.close(descriptor)

    def _serve(self, first: _Waiting[J]) -> bool:
        """Write `first` and all that wait when it is this process's turn; return whether they were the last."""
        group, ends, begun = [first], False, False
        try:
            with self._turn():
                group, ends = self._gather(first)
                begun = True
                self._write(group)
        except Exception as exc:  # noqa: BLE001 - as below; there was no turn
            if not begun:
                first.error = exc
        for waiting in group:
            try:
                waiting.tell(waiting.error)
            except Exception:  # noqa: BLE001 - the next ones wait to be told, and for their own commits
                _log.exception("who waited for a commit could not be told")
        return ends

    def _gather(self, first: _Waiting[J]) -> tuple[list[_Waiting[J]], bool]:
        group = [first]
        with contextlib.suppress(Empty):
            while len(group) < LARGEST_GROUP:
                item = self._queue.get_nowait()
                if item is None:
                    return group, True
                group.append(item)
        return group, False

    def _write(self, group: list[_Waiting[J]]) -> None:
        try:
            with transaction.atomic(durable=True):
                self._write_jobs([waiting.job for waiting in group])
        except Exception as exc:  # noqa: BLE001 - handed to whoever waits
            if isinstance(exc, DatabaseError):
                connection.close_if_unusable_or_obsolete()
            if len(group) > 1:
                for waiting in group:
                    self._write([waiting])
            else:
                group[0].error = exc

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._directory is None:
            yield
            return
        if not self._descriptors:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptors = tuple(
                os.open(self._directory / name, flags, 0o600) for name in (NEXT_FILE, LOCK_FILE)
            )
        # Who waits for the turn is the one that is next. With one lock, the process that has just ended its turn takes the
        # next one too, before another has woken.
        following, turn = self._descriptors
        fcntl.flock(following, fcntl.LOCK_EX)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(following, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)
