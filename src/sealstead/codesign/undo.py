"""Change files in place so that a killed run is undone, or found finished, by the next.

Copying a file of 500 MB to append 5 kB costs the time and the room of all of it. Instead, for the files of one
directory at a time:

1. each file is opened, locked, and compared with what was digested; a file that changed since is refused;
2. an undo journal with their old bytes is made durable (`undo_journal`);
3. each file is written, the new signature first and the header that refers to it last, and made durable; one that
   cannot be written is brought back at once;
4. the journal goes.

`recover` is called before a command looks at files: it brings back what a process that is gone left half-written.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path

from sealstead.at_once import at_once
from sealstead.codesign.undo_journal import (
    Content,
    Entry,
    ForeignJournalError,
    journals,
    opened,
    write_all,
    write_journal,
)
from sealstead.custody.locks import try_lock
from sealstead.errors import ConflictError, InputError, SealsteadError
from sealstead.record import Record

MOST_OPEN = 64
"""Files open at a time: some systems allow a process no more than 256."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)

Facts = tuple[int, ...]


class TargetUnwritableError(InputError):
    """The file to sign cannot be opened or written."""

    code = "file-unwritable"


class HalfWrittenError(TargetUnwritableError):
    """The file could be neither written nor brought back; the undo journal stays beside it."""

    code = "file-half-written"


class TargetChangedError(ConflictError):
    """The file is not the one any more that was digested."""

    code = "target-changed"


class TargetBusyError(ConflictError):
    """Another process is signing the file."""

    code = "file-busy"


class Change(Record):
    """`writes` in their order: bytes at offsets. `facts` and `content` are those of the file that was digested."""

    path: Path
    facts: Facts
    content: Content
    writes: Sequence[tuple[int, bytes]]
    size: int


class Recovered(Record):
    """What became of a half-written file: `undone`, `finished`, or `stale` when it is another file by now."""

    path: Path
    outcome: str


def facts_of(status: os.stat_result) -> Facts:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def change_files(changes: Sequence[Change], *, jobs: int = 4) -> dict[Path, SealsteadError]:
    """Make all changes; return what hindered those that were not made, whose files are as before."""
    failed: dict[Path, SealsteadError] = {}
    by_directory: dict[Path, list[Change]] = {}
    for change in changes:
        by_directory.setdefault(change.path.parent, []).append(change)
    for directory, mine in by_directory.items():
        for start in range(0, len(mine), MOST_OPEN):
            failed.update(_change_some(directory, mine[start : start + MOST_OPEN], jobs))
    return failed


def recover(directory: Path) -> list[Recovered]:
    """Bring back, or find finished, what a process that is gone was just changing in `directory`.

    Raises:
        ForeignJournalError: a journal there is of another version, or of another user.
        TargetUnwritableError: a file cannot be brought back; the journal stays.
    """
    done: list[Recovered] = []
    for path in journals(directory):
        try:
            with opened(path) as (records, owner):
                if owner is None:
                    continue  # at work right now: its files are locked too
                done += [
                    Recovered(path=directory / record.name, outcome=_bring_back(path, record, owner))
                    for record in records
                ]
                path.unlink()
        except FileNotFoundError:
            continue  # whoever had it has just finished
        except OSError as exc:
            raise TargetUnwritableError(
                f"{exc.filename or path} was left half-written and cannot be brought back: {exc.strerror}"
            ) from exc
    return done


def open_target(path: Path) -> int:
    """Open a file to be changed, and lock it. The caller closes it.

    Raises:
        TargetUnwritableError: it cannot be opened for writing, or is no regular file.
        TargetBusyError: another process of ours has it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | _NOFOLLOW | _BINARY)
    except OSError as exc:
        raise TargetUnwritableError(f"{path} cannot be opened for writing: {exc.strerror}") from exc
    hindrance: SealsteadError | None = None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        hindrance = TargetUnwritableError(f"{path} is no regular file")
    # Windows would lock bytes, not the file, and against its own process too.
    elif os.name == "posix" and not try_lock(descriptor):
        hindrance = TargetBusyError(f"{path} is being signed by another process")
    if hindrance is not None:
        os.close(descriptor)
        raise hindrance
    return descriptor


def check_unchanged(path: Path, descriptor: int, facts: Facts) -> None:
    """Raises TargetChangedError."""
    if facts_of(os.fstat(descriptor)) != facts:
        raise TargetChangedError(
            f"{path} changed after it was digested", hint="sign it when whatever writes it has finished"
        )


def _change_some(directory: Path, changes: Sequence[Change], jobs: int) -> dict[Path, SealsteadError]:
    failed: dict[Path, SealsteadError] = {}
    with contextlib.ExitStack() as stack:
        ready: list[tuple[Change, int, Entry]] = []
        for change in changes:
            try:
                descriptor = open_target(change.path)
                stack.callback(os.close, descriptor)
                check_unchanged(change.path, descriptor, change.facts)
                ready.append((change, descriptor, _record(change, descriptor)))
            except SealsteadError as exc:
                failed[change.path] = exc
        if not ready:
            return failed
        try:
            journal, held = write_journal(directory, [record for _, _, record in ready])
        except OSError as exc:
            for change, _, _ in ready:
                failed[change.path] = TargetUnwritableError(
                    f"{change.path} cannot be signed in place: no journal can be written beside it: {exc.strerror}"
                )
            return failed
        stack.callback(os.close, held)
        results = at_once([partial(_write, *one) for one in ready], jobs=jobs)
        failed.update({change.path: exc for (change, _, _), exc in zip(ready, results, strict=True) if exc})
        if not any(isinstance(exc, HalfWrittenError) for exc in results):
            # Where that fails, the next run finds them all finished.
            with contextlib.suppress(OSError):
                journal.unlink()
    return failed


def _write(change: Change, descriptor: int, record: Entry) -> TargetUnwritableError | None:
    try:
        _put(descriptor, change.writes, change.size)
    except OSError as exc:
        try:
            _put_back(descriptor, record)
        except OSError:
            return HalfWrittenError(
                f"{change.path} cannot be written, and not be brought back either: {exc.strerror}",
                hint="sign again when the disk takes writes: the undo journal beside it brings it back first",
            )
        return TargetUnwritableError(f"{change.path} cannot be written: {exc.strerror}")
    return None


def _record(change: Change, descriptor: int) -> Entry:
    size = os.fstat(descriptor).st_size
    spans = [(at, at + len(data)) for at, data in change.writes]
    if change.size < size:
        spans.append((change.size, size))
    return Entry(
        name=change.path.name,
        size=size,
        modified_ns=os.fstat(descriptor).st_mtime_ns,
        content=change.content,
        old=[(at, _read(descriptor, at, min(end, size))) for at, end in spans if at < size],
        new_size=change.size,
        new=list(change.writes),
    )


def _bring_back(journal: Path, record: Entry, owner: int) -> str:
    path = journal.with_name(record.name)
    try:
        descriptor = open_target(path)
    except TargetUnwritableError:
        if path.exists():
            raise
        return "stale"  # removed since
    try:
        # In a directory that others write to, what they say that a file was like is not put into it.
        if os.name == "posix" and owner not in (os.geteuid(), os.fstat(descriptor).st_uid):
            raise ForeignJournalError(
                f"{journal} is an undo journal of another user",
                hint="remove it, or have its owner do so; do not sign in a directory that others write to",
            )
        if _is_finished(descriptor, record):
            return "finished"
        if not _is_between(descriptor, record) or not record.content.holds(descriptor):
            return "stale"
        _put_back(descriptor, record)
    finally:
        os.close(descriptor)
    return "undone"


def _is_finished(descriptor: int, record: Entry) -> bool:
    return os.fstat(descriptor).st_size == record.new_size and all(
        _read(descriptor, at, at + len(data)) == data for at, data in record.new
    )


def _is_between(descriptor: int, record: Entry) -> bool:
    """Return whether every byte is the old one or the new one: else somebody else has written, another signer perhaps."""
    size = os.fstat(descriptor).st_size
    if not min(record.size, record.new_size) <= size <= max(record.size, record.new_size):
        return False
    old, new = dict(record.old), dict(record.new)
    for at in old.keys() | new.keys():
        was, will = old.get(at, b""), new.get(at, b"")
        # A file that grew before it was written to reads as zeros there.
        holes = bytes(max(len(will) - len(was), 0))
        found = _read(descriptor, at, at + max(len(was), len(will)))
        for byte, first, second in zip_longest(found, was + holes, will):
            if byte is not None and byte not in (first, second):
                return False
    return True


def _put_back(descriptor: int, record: Entry) -> None:
    # The header first: until the rest is back, it must not refer to a signature that is half there.
    _put(descriptor, list(reversed(record.old)), record.size)
    if os.utime in os.supports_fd:
        with contextlib.suppress(OSError):
            os.utime(descriptor, ns=(record.modified_ns, record.modified_ns))


def _put(descriptor: int, writes: Sequence[tuple[int, bytes]], size: int) -> None:
    for at, data in writes:
        os.lseek(descriptor, at, os.SEEK_SET)
        write_all(descriptor, data)
    if os.fstat(descriptor).st_size != size:
        os.ftruncate(descriptor, size)
    os.fsync(descriptor)


def _read(descriptor: int, start: int, end: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    parts = []
    while start < end and (part := os.read(descriptor, end - start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)
