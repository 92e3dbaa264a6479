"""The undo journal of files that are changed in place: what it says, and how it stands on disk.

`.sealstead-undo-<random>` lies beside the files it is about and holds what brings each of them back: its size, the bytes
that are to be overwritten and with what, and a digest of all others, by which a later run knows the file. It is complete on
disk before the first file is touched, so one that does not end with its own checksum has nothing to undo. Whoever
works with it holds a lock on it: a journal that can be locked was left by a process that is gone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Any

from sealstead.custody.files import OWNER_FILE, sync_directory
from sealstead.custody.locks import try_lock
from sealstead.errors import ConflictError
from sealstead.record import Record

PREFIX = ".sealstead-undo-"
_MAX_BYTES = 256 << 20
_VERSION = 1
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_MOST_PADDING = 4096
_ALGORITHMS = ("sha256", "sha384", "sha512")

Ranges = Sequence[tuple[int, int]]
"""From offset (inclusive) to offset (exclusive)."""


class ForeignJournalError(ConflictError):
    """An undo journal is whole, and of a kind that this version does not know, or of somebody else."""

    code = "foreign-undo-journal"


class Content(Record):
    """What is not going to change: a digest of these ranges, then of `padding` zeros."""

    algorithm: str
    ranges: Ranges
    padding: int
    digest: bytes

    def holds(self, descriptor: int) -> bool:
        """Return whether the open file has this content. Reads all of it."""
        found = hashlib.new(self.algorithm)
        view = memoryview(bytearray(1 << 20))
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
            for start, end in self.ranges:
                file.seek(start)
                left = end - start
                while left > 0:
                    count = file.readinto(view[: min(left, len(view))])
                    if not count:
                        return False
                    found.update(view[:count])
                    left -= count
        found.update(bytes(self.padding))
        return compare_digest(found.digest(), self.digest)


class Entry(Record):
    """How one file was, and how it is going to be; `old` and `new` are bytes at offsets."""

    name: str
    size: int
    modified_ns: int
    content: Content
    old: Sequence[tuple[int, bytes]]
    new_size: int
    new: Sequence[tuple[int, bytes]]


def write_journal(directory: Path, records: Sequence[Entry]) -> tuple[Path, int]:
    """Write a new journal, durable and locked; return where it is and the descriptor that holds the lock.

    Raises:
        OSError: it cannot be written; nothing is left.
    """
    path, descriptor = _locked_new(directory)
    try:
        write_all(descriptor, _serialize(records))
        os.fsync(descriptor)
        sync_directory(directory)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return path, descriptor


def _locked_new(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / f"{PREFIX}{os.urandom(6).hex()}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, OWNER_FILE)
        try:
            # Before it was locked, another process may have taken it for left behind, and removed it.
            if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                return path, descriptor
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        os.close(descriptor)


def journals(directory: Path) -> list[Path]:
    """Return the journals that lie in `directory`, if it can be read."""
    try:
        with os.scandir(directory) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.startswith(PREFIX))
    except OSError:
        return []


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[list[Entry], int | None]]:
    """Give the records of a journal, none if it is not complete, and who wrote it; None while that process is at work.

    Raises:
        ForeignJournalError: it is complete, and says something that this version does not know.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | _NOFOLLOW | _BINARY | _NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ForeignJournalError(f"{path} is no regular file", hint="remove it")
        left = status.st_uid if try_lock(descriptor) else None
        with os.fdopen(os.dup(descriptor), "rb") as file:
            yield _parse(path, file.read(_MAX_BYTES)), left
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _serialize(records: Sequence[Entry]) -> bytes:
    body = json.dumps(
        {
            "version": _VERSION,
            "files": [
                {
                    "name": record.name,
                    "size": record.size,
                    "modified_ns": record.modified_ns,
                    "content": {
                        "algorithm": record.content.algorithm,
                        "ranges": [list(one) for one in record.content.ranges],
                        "padding": record.content.padding,
                        "digest": record.content.digest.hex(),
                    },
                    "old": [[at, base64.b64encode(data).decode()] for at, data in record.old],
                    "new_size": record.new_size,
                    "new": [[at, base64.b64encode(data).decode()] for at, data in record.new],
                }
                for record in records
            ],
        }
    ).encode()
    return body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def _parse(path: Path, text: bytes) -> list[Entry]:
    body, _, rest = text.partition(b"\n")
    if rest != hashlib.sha256(body).hexdigest().encode() + b"\n":
        return []
    try:
        value = json.loads(body)
        if value["version"] == _VERSION:
            return [_record(one) for one in value["files"]]
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        pass
    raise ForeignJournalError(
        f"{path} is an undo journal of another version of Sealstead",
        hint="run the version that wrote it, or remove it if the files beside it were made anew since",
    )


def _record(value: Any) -> Entry:  # noqa: ANN401 - what JSON said
    content = value["content"]
    record = Entry(
        name=str(value["name"]),
        size=int(value["size"]),
        modified_ns=int(value["modified_ns"]),
        content=Content(
            algorithm=str(content["algorithm"]),
            ranges=[(int(start), int(end)) for start, end in content["ranges"]],
            padding=int(content["padding"]),
            digest=bytes.fromhex(content["digest"]),
        ),
        old=[(int(at), base64.b64decode(data, validate=True)) for at, data in value["old"]],
        new_size=int(value["new_size"]),
        new=[(int(at), base64.b64decode(data, validate=True)) for at, data in value["new"]],
    )
    # Whoever can write here can write the files too; still a journal changes only files that lie beside it.
    if record.name in ("", ".", "..") or Path(record.name).name != record.name:
        raise ValueError(record.name)
    if (
        content["algorithm"] not in _ALGORITHMS
        or min(record.size, record.new_size, record.content.padding) < 0
        or record.content.padding > _MOST_PADDING
    ):
        raise ValueError(record.name)
    return record
