"""A lock between processes: advisory, held on an open file, gone with its process however that ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sealstead.errors import ConflictError

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_PAUSE_S = 0.02


class LockBusyError(ConflictError):
    """Another process holds the lock, and did not let go in time."""

    code = "lock-busy"


@contextlib.contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock on the file `path`, which is made if need be and stays. Its directory must exist.

    Raises:
        LockBusyError: not free within `seconds`.
        OSError: the file cannot be opened.
    """
    # A lock file is never removed: a process waiting on the removed one would hold a lock that nobody else sees.
    with _held(os.open(path, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o600), path, seconds):
        yield


@contextlib.contextmanager
def locked_directory(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock of a directory, which must exist. Where systems allow that, no file is left behind for it.

    Raises:
        LockBusyError: not free within `seconds`.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        if os.name == "posix":
            raise
        # Windows opens no directories.
        with locked(path / ".sealstead.lock", seconds=seconds):
            yield
        return
    with _held(descriptor, path, seconds):
        yield


@contextlib.contextmanager
def _held(descriptor: int, path: Path, seconds: float) -> Iterator[None]:
    try:
        end = time.monotonic() + seconds
        while not try_lock(descriptor):
            if time.monotonic() >= end:
                raise LockBusyError(f"another process is at work: {path} is locked")
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(descriptor)  # which lets go of the lock


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed; return False if another open file holds the lock."""
    try:
        import fcntl
    except ImportError:
        return _try_lock_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock_windows(descriptor: int) -> bool:
    import msvcrt

    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True
