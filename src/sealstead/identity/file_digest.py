"""Digests of files of any length, in pieces; and a head start for long ones, while the program is still starting.

Half of the time of signing a long file is its digest, and a good part of the other half is the start of Python. The
digest needs no lock of the interpreter's, so both can go on at once; and so can reading the next piece. What was read
ahead counts only if it is, to the inode and the nanosecond, the file that is asked for.

This is imported before all else: it takes paths as texts too, and needs neither `pathlib` nor `typing`.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from queue import SimpleQueue

from sealstead.errors import ConflictError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

HEAD_BYTES = 1 << 16
_CHUNK = 1 << 20
_LONG_CHUNK = 1 << 21
"""Two of them are held. Each costs a wait for the interpreter's lock, which the start of the program holds."""
_WORTH_IT = 1 << 22
_SWITCH_SECONDS = 0.0001


class FileError(InputError):
    """The file to sign or to check, or its signature, cannot be read or written."""

    code = "file"


class FileChangedError(ConflictError):
    """The file changed while it was read: nobody knows what was signed."""

    code = "file-changed"


class Digested:
    """`head` is the begin of the file, or all of it and `whole`; `facts` tell it from every other file."""

    __slots__ = ("digest", "facts", "head", "whole")

    def __init__(self, digest: bytes, head: bytes, facts: tuple[int, ...], *, whole: bool) -> None:
        self.digest = digest
        self.head = head
        self.facts = facts
        self.whole = whole


_early: dict[str, _Early] = {}


def digest_file(path: Path) -> Digested:
    """Return BLAKE2b-512 of the file, and its begin.

    Raises:
        FileError: it cannot be read.
        FileChangedError: it changed while it was read.
    """
    started = _early.pop(str(path), None)
    if started is not None and (found := started.result()) is not None and found.facts == _facts_of(path):
        return found
    return _digest(str(path))


def begin_early(arguments: Sequence[str]) -> None:
    """Begin with the first long file among the arguments of a command, whether it will be asked for or not."""
    for name in arguments:
        try:
            status = os.stat(name)  # noqa: PTH116 - no pathlib here
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size >= _WORTH_IT:
            sys.setswitchinterval(_SWITCH_SECONDS)
            _early[name] = _Early(name)
            return


class _Early:
    """A digest in the making. Whatever goes wrong here is told when the file is read again in its turn."""

    def __init__(self, path: str) -> None:
        self._found: Digested | None = None
        self._path = path
        # Nobody waits for it if the command ends for another reason.
        self._thread = threading.Thread(target=self._work, daemon=True, name="digest")
        self._thread.start()

    def _work(self) -> None:
        try:
            self._found = _digest(self._path)
        except (FileError, FileChangedError):
            self._found = None

    def result(self) -> Digested | None:
        self._thread.join()
        return self._found


def _digest(path: str) -> Digested:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - no pathlib here
            before = os.fstat(file.fileno())
            if stat.S_ISDIR(before.st_mode):
                raise FileError(f"{path} is a directory")
            digest = hashlib.blake2b()
            head = bytearray()
            pieces = _pieces_ahead if before.st_size >= _WORTH_IT else _pieces
            for piece in pieces(file.readinto):
                digest.update(piece)
                if len(head) <= HEAD_BYTES:
                    head += piece[: HEAD_BYTES + 1]
            after = os.fstat(file.fileno())
    except OSError as exc:
        raise FileError(f"{path} cannot be read: {exc.strerror}") from exc
    if _facts(before) != _facts(after):
        raise FileChangedError(f"{path} changed while it was read", hint="try again when it is finished")
    return Digested(digest.digest(), bytes(head[:HEAD_BYTES]), _facts(after), whole=len(head) <= HEAD_BYTES)


def _pieces(readinto: Callable[[memoryview], int | None]) -> Iterator[memoryview]:
    view = memoryview(bytearray(_CHUNK))
    while count := readinto(view):
        yield view[:count]


def _pieces_ahead(readinto: Callable[[memoryview], int | None]) -> Iterator[memoryview]:
    """Yield the pieces of a file, each good until the next is asked for, which is read meanwhile."""
    free: SimpleQueue[memoryview] = SimpleQueue()
    filled: SimpleQueue[tuple[memoryview, int] | BaseException] = SimpleQueue()

    def read() -> None:
        try:
            count: int | None = 1
            while count:
                view = free.get()
                count = readinto(view)
                filled.put((view, count or 0))
        except BaseException as exc:  # noqa: BLE001 - handed to whoever waits, who raises it
            filled.put(exc)

    for _ in range(2):
        free.put(memoryview(bytearray(_LONG_CHUNK)))
    threading.Thread(target=read, daemon=True, name="read").start()
    while True:
        found = filled.get()
        if isinstance(found, BaseException):
            raise found
        view, count = found
        if not count:
            return
        yield view[:count]
        free.put(view)


def _facts_of(path: Path) -> tuple[int, ...] | None:
    try:
        return _facts(path.stat())
    except OSError:
        return None


def _facts(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
