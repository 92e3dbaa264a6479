"""Digests of files of any length, in pieces; and a head start for long ones, while the program is still starting.

Half of the time of signing a long file is its digest, and a good part of the other half is the start of Python. The
digest needs no lock of the interpreter's, so both can go on at once. What was read ahead counts only if it is, to the
inode and the nanosecond, the file that is asked for.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sealstead.errors import ConflictError, InputError

HEAD_BYTES = 1 << 16
_CHUNK = 1 << 20
_EARLY_CHUNK = 1 << 22
"""Each piece costs a wait for the interpreter's lock, which the start of the program holds."""
_WORTH_IT = 1 << 22
_SWITCH_SECONDS = 0.0005


class FileError(InputError):
    """The file to sign or to check, or its signature, cannot be read or written."""

    code = "file"


class FileChangedError(ConflictError):
    """The file changed while it was read: nobody knows what was signed."""

    code = "file-changed"


class Digested(NamedTuple):
    """`head` is the begin of the file, or all of it and `whole`."""

    digest: bytes
    head: bytes
    whole: bool
    identity: tuple[int, ...]


_early: dict[str, _Early] = {}


def digest_file(path: Path) -> Digested:
    """Return BLAKE2b-512 of the file, and its begin.

    Raises:
        FileError: it cannot be read.
        FileChangedError: it changed while it was read.
    """
    started = _early.pop(str(path), None)
    if started is not None and (found := started.result()) is not None and found.identity == _identity(path):
        return found
    return _digest(path, _CHUNK)


def begin_early(arguments: Sequence[str]) -> None:
    """Begin with the first long file among the arguments of a command, whether it will be asked for or not."""
    for name in arguments:
        try:
            status = Path(name).stat()
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size >= _WORTH_IT:
            sys.setswitchinterval(_SWITCH_SECONDS)
            _early[name] = _Early(Path(name))
            return


class _Early:
    """A digest in the making. Whatever goes wrong here is told when the file is read again in its turn."""

    def __init__(self, path: Path) -> None:
        import threading

        self._found: Digested | None = None
        self._path = path
        # Nobody waits for it if the command ends for another reason.
        self._thread = threading.Thread(target=self._work, daemon=True, name="digest")
        self._thread.start()

    def _work(self) -> None:
        try:
            self._found = _digest(self._path, _EARLY_CHUNK)
        except (FileError, FileChangedError):
            self._found = None

    def result(self) -> Digested | None:
        self._thread.join()
        return self._found


def _digest(path: Path, chunk: int) -> Digested:
    try:
        with path.open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            if stat.S_ISDIR(before.st_mode):
                raise FileError(f"{path} is a directory")
            digest, head, whole = _hash(file.readinto, chunk)
            after = os.fstat(file.fileno())
    except OSError as exc:
        raise FileError(f"{path} cannot be read: {exc.strerror}") from exc
    if _facts(before) != _facts(after):
        raise FileChangedError(f"{path} changed while it was read", hint="try again when it is finished")
    return Digested(digest, head, whole, _facts(after))


def _hash(readinto: Callable[[memoryview], int | None], chunk: int) -> tuple[bytes, bytes, bool]:
    digest = hashlib.blake2b()
    view = memoryview(bytearray(chunk))
    head = bytearray()
    while count := readinto(view):
        digest.update(view[:count])
        if len(head) <= HEAD_BYTES:
            head += view[: min(count, HEAD_BYTES + 1)]
    return digest.digest(), bytes(head[:HEAD_BYTES]), len(head) <= HEAD_BYTES


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        return _facts(path.stat())
    except OSError:
        return None


def _facts(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
