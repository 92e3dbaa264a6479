"""The data directory: where it is, whose it is, and that one server alone runs on it.

Rules:
  * 0700 and the running user's own, or nothing starts: it holds the master keys;
  * `server.lock` is held by `serve` for its lifetime (all its workers inherit it, so it is free only after the last
    of them has ended), `setup.lock` while directory and schema are made ready. Both are advisory locks of the
    operating system: a killed process leaves none behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from sealstead.custody.files import OWNER_DIRECTORY, UnsafeFileError, make_private_directory
from sealstead.errors import ConflictError, InputError, NotFoundError

SUBDIRECTORIES = ("blobs", "outbox", "logs", "tls")
SERVER_LOCK = "server.lock"
SETUP_LOCK = "setup.lock"
_OTHERS = 0o077


class UnusableDataDirError(InputError):
    """The data directory cannot be made or entered, or is no directory."""

    code = "unusable-data-dir"


class NoDataDirError(NotFoundError):
    """No server has been started on this data directory yet."""

    code = "no-data-dir"


class AlreadyRunningError(ConflictError):
    """Another server runs on this data directory."""

    code = "already-running"


def default_data_dir() -> Path:
    """Return the platform's directory for this user's application data."""
    return platformdirs.user_data_path("sealstead", appauthor=False)


def make_data_dir(path: Path) -> Path:
    """Make the data directory if it is not there, check it, and return its real path.

    Raises:
        UnusableDataDirError: no directory, or it cannot be made.
        UnsafeFileError: open to others, or somebody else's.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_private_directory(path)
    except OSError as exc:
        raise UnusableDataDirError(f"{path}: cannot make the data directory: {exc.strerror}") from exc
    found = check_data_dir(path)
    for name in SUBDIRECTORIES:
        make_private_directory(found / name)
    _sweep(found)
    return found


def check_data_dir(path: Path) -> Path:
    """Return the real path of an existing data directory.

    Raises:
        NoDataDirError: nothing is there.
        UnusableDataDirError: it is no directory, or cannot be entered.
        UnsafeFileError: open to others, or somebody else's.
    """
    try:
        found = path.resolve(strict=True)
        status = found.stat()
    except FileNotFoundError as exc:
        raise NoDataDirError(
            f"{path.absolute()}: there is no data directory",
            hint="name another with --data-dir, or start a server there first: "
            f"sealstead serve --data-dir {path.absolute()}",
        ) from exc
    except OSError as exc:
        raise UnusableDataDirError(f"{path}: {exc.strerror}") from exc
    if not stat.S_ISDIR(status.st_mode):
        raise UnusableDataDirError(f"{path} is not a directory")
    if status.st_uid != os.geteuid():
        raise UnsafeFileError(
            f"{path} belongs to another user",
            hint=f"run as its owner (user id {status.st_uid}), or choose another directory with --data-dir",
        )
    if status.st_mode & _OTHERS:
        raise UnsafeFileError(f"{path} is open to other users", hint=f"run: chmod 700 {path}")
    if status.st_mode & OWNER_DIRECTORY != OWNER_DIRECTORY:
        raise UnusableDataDirError(f"{path} is closed to its owner", hint=f"run: chmod 700 {path}")
    return found


def claim_server(data_dir: Path) -> int:
    """Take the lock that `serve` holds and return its descriptor; it is free again when every holder has ended.

    Raises:
        AlreadyRunningError: another server holds it.
    """
    descriptor = _open_lock(data_dir / SERVER_LOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(descriptor)
        raise AlreadyRunningError(
            f"a server is running on {data_dir} already",
            hint="stop it first, or choose another directory with --data-dir",
        ) from exc
    return descriptor


def write_address(lock: int, url: str) -> None:
    """Leave the server's address where the commands that look after it find it."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, url.encode(), 0)


def last_address(data_dir: Path) -> str:
    """Return the address of the server that runs here or ran last, blank if none has."""
    try:
        return (data_dir / SERVER_LOCK).read_text(encoding="utf-8")
    except OSError:
        return ""


@contextlib.contextmanager
def setup_lock(data_dir: Path) -> Iterator[None]:
    """Wait until nobody else makes this directory ready, and keep others waiting."""
    descriptor = _open_lock(data_dir / SETUP_LOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _sweep(data_dir: Path) -> None:
    # What a killed process left of `custody.files`; one who writes right now holds a lock or runs a command that the
    # operator can repeat.
    for leftover in data_dir.glob(".keyring.json.*.tmp"):
        leftover.unlink(missing_ok=True)
