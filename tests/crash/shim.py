"""Sees every change a program makes to its files and to the keyring, counts them, and lets one go wrong.

`install()` puts wrappers around the functions of `os` and `io` that change files, and around the back ends of
`keyring` given to `watch_keyring`. They do nothing until `arm()`: then each call on a path below one of the roots is
numbered and noted, and the call whose number the fault names fails in the way the fault says.

This module imports nothing of the product: it stands between the product and the operating system. Python's own
buffered files write from C, past `os.write`, so files opened for writing below a root are built on a raw file whose
`write` is our `os.write`. A test compares what is seen here with what `strace` sees.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import json
import os
import re
import signal
import threading
from collections.abc import Callable
from typing import Any

KILLS = ("kill-before", "kill-after")
FULL_DISK = {"create", "write", "mkdir", "link", "rename", "fsync", "symlink", "truncate"}
"""Operations that may answer "no space left"."""

_FAULTS: dict[str, tuple[str, ...]] = {
    "read": ("eio",),
    "write": (*KILLS, "eio", "enospc", "torn"),
    "keyring-get": (*KILLS, "raise-before", "block-before"),
    "keyring-set": (*KILLS, "raise-before", "raise-after", "block-before", "block-after"),
    "keyring-delete": (*KILLS, "raise-before", "raise-after", "block-before", "block-after"),
}
_WRITES = os.O_WRONLY | os.O_RDWR


def faults_of(operation: str) -> tuple[str, ...]:
    """Return the ways in which one call of `operation` is made to fail."""
    if operation in _FAULTS:
        return _FAULTS[operation]
    return (*KILLS, "eio", "enospc") if operation in FULL_DISK else (*KILLS, "eio")


class Shim:
    """Numbers the calls of one process, and makes one of them fail."""

    def __init__(self) -> None:
        self.roots: tuple[str, ...] = ()
        self.fault: dict[str, Any] = {}
        self.log = -1
        self.count = 0
        self.full = False
        self.lock = threading.Lock()
        self.inside = threading.local()
        self.blocks: Callable[[], None] = lambda: None
        """Learns, in its own thread, of a call that is about to wait for ever."""

    def arm(self, *, roots: list[str], fault: dict[str, Any] | None, log: int) -> None:
        self.roots = tuple(os.path.realpath(root) for root in roots)
        self.fault = fault or {}
        self.log = log

    def covers(self, path: str | None) -> bool:
        return (
            path is not None
            and any(path == root or path.startswith(root + "/") for root in self.roots)
            # What is done within one noted call (the keyring's own file) is part of it.
            and not getattr(self.inside, "call", False)
        )

    def call(
        self,
        operation: str,
        what: str,
        act: Callable[[], Any],
        part: Callable[[], Any] | None = None,
        refuse: Callable[[str], BaseException] | None = None,
    ) -> Any:
        """Do `act`, unless this is the call that goes wrong. `part` does half of it."""
        with self.lock:
            number = self.count
            self.count += 1
            REAL_WRITE(self.log, (json.dumps([number, operation, what]) + "\n").encode())
        kind = self.fault.get("kind", "") if self.fault.get("call") == number else ""
        if self.full and operation in FULL_DISK and operation != "fsync":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), what)
        if kind in {"torn", "enospc"} and part is not None:
            part()  # a write that meets the end of the disk is cut short
        if not kind.endswith("-after"):
            self._fail(kind, what, refuse)
        self.inside.call = operation.startswith("keyring-")
        try:
            result = act()
        finally:
            self.inside.call = False
        if kind.endswith("-after"):
            self._fail(kind, what, refuse)
        return result

    def _fail(self, kind: str, what: str, refuse: Callable[[str], BaseException] | None) -> None:
        match kind.partition("-")[0]:
            case "kill" | "torn":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                # To this thread: another one might be told first, and this one go on meanwhile.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case "eio":
                raise OSError(errno.EIO, os.strerror(errno.EIO), what)
            case "enospc":
                self.full = True  # and stays full
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), what)
            case "raise" if refuse is not None:
                raise refuse("the back end refused" if kind == "raise-before" else "the answer was lost")
            case "block":
                self.blocks()
                threading.Event().wait()


SHIM = Shim()
REAL_WRITE = os.write
_REAL_OPEN = os.open
_REAL_IO_OPEN = io.open


def _path(path: Any, directory: int | None = None) -> str | None:
    """Return the absolute path, its last part not followed."""
    if isinstance(path, int):
        try:
            return os.readlink(f"/proc/self/fd/{path}")
        except OSError:
            return None
    text = os.fsdecode(path)
    if directory is not None and not os.path.isabs(text):
        text = os.path.join(os.readlink(f"/proc/self/fd/{directory}"), text)
    folder, name = os.path.split(os.path.abspath(text))
    return os.path.join(os.path.realpath(folder), name)


def _wrap(name: str, operation: str, paths: int = 1) -> None:
    real = getattr(os, name, None)
    if real is None:
        return

    def wrapper(*given: Any, **named: Any) -> Any:
        if not SHIM.roots:
            return real(*given, **named)
        directories = [named.get("dir_fd", named.get("src_dir_fd")), named.get("dst_dir_fd")]
        found = [_path(given[i], directories[i]) for i in range(min(paths, len(given)))]
        if not any(SHIM.covers(path) for path in found):
            return real(*given, **named)
        return SHIM.call(operation, " -> ".join(map(str, found)), lambda: real(*given, **named))

    wrapper.__name__ = name
    setattr(os, name, wrapper)


def _open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    where = _path(path, dir_fd) if SHIM.roots else None
    if not SHIM.covers(where):
        return _REAL_OPEN(path, flags, mode, dir_fd=dir_fd)
    operation = "create" if flags & (os.O_CREAT | os.O_TRUNC) else "open" if flags & _WRITES else "read"
    opened: int = SHIM.call(operation, str(where), lambda: _REAL_OPEN(path, flags, mode, dir_fd=dir_fd))
    return opened


def _write(descriptor: int, data: Any) -> int:
    where = _path(descriptor) if SHIM.roots else None
    if not SHIM.covers(where):
        return REAL_WRITE(descriptor, data)
    view = memoryview(data).cast("B")
    written: int = SHIM.call(
        "write",
        str(where),
        lambda: REAL_WRITE(descriptor, view),
        lambda: REAL_WRITE(descriptor, view[: len(view) // 2]),
    )
    return written


def _io_open(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """`open`, whose writes pass through `os.write` when the file is below a root."""
    usual = (file, mode, buffering, encoding, errors, newline, closefd, opener)
    if not SHIM.roots or not SHIM.covers(_path(file)):
        return _REAL_IO_OPEN(*usual)
    if not set(mode) & set("wax+"):
        return _REAL_IO_OPEN(*usual[:-1], opener or os.open)
    descriptor = file
    if not isinstance(file, int):
        flags = os.O_RDWR if "+" in mode else os.O_WRONLY
        flags |= {
            "w": os.O_CREAT | os.O_TRUNC,
            "a": os.O_CREAT | os.O_APPEND,
            "x": os.O_CREAT | os.O_EXCL,
        }.get(mode.strip("bt+U")[:1], 0)
        descriptor = (opener or (lambda path, flags: os.open(path, flags, 0o666)))(file, flags | os.O_CLOEXEC)
    raw = _Raw(descriptor, mode.replace("t", "").replace("b", ""), closefd or not isinstance(file, int))
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


class _Raw(io.FileIO):
    def write(self, data: Any, /) -> int:
        return os.write(self.fileno(), data)

    def truncate(self, size: int | None = None, /) -> int:
        os.ftruncate(self.fileno(), self.tell() if size is None else size)
        return self.tell() if size is None else size


def _unsupported(name: str) -> None:
    """Make a quick way to copy fail as on a file system that lacks it, so that the plain way is taken."""

    def wrapper(*given: Any, **named: Any) -> Any:
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))

    if hasattr(os, name):
        setattr(os, name, wrapper)


def install() -> None:
    """Put the wrappers in place; before the product is imported, for it may keep what it imports."""
    for name, operation, paths in (
        ("fsync", "fsync", 1),
        ("fdatasync", "fsync", 1),
        ("rename", "rename", 2),
        ("replace", "rename", 2),
        ("link", "link", 2),
        ("unlink", "unlink", 1),
        ("remove", "unlink", 1),
        ("mkdir", "mkdir", 1),
        ("rmdir", "rmdir", 1),
        ("chmod", "chmod", 1),
        ("fchmod", "chmod", 1),
        ("chown", "chown", 1),
        ("fchown", "chown", 1),
        ("utime", "utime", 1),
        ("truncate", "truncate", 1),
        ("ftruncate", "truncate", 1),
        ("setxattr", "setxattr", 1),
    ):
        _wrap(name, operation, paths)
    real_symlink = os.symlink

    def symlink(source: Any, target: Any, *given: Any, **named: Any) -> None:
        where = _path(target, named.get("dir_fd")) if SHIM.roots else None
        if not SHIM.covers(where):
            return real_symlink(source, target, *given, **named)
        SHIM.call("symlink", str(where), lambda: real_symlink(source, target, *given, **named))
        return None

    os.symlink = symlink
    os.open = _open
    os.write = _write
    io.open = builtins.open = _io_open
    for name in ("sendfile", "copy_file_range", "posix_fallocate", "writev", "pwrite", "pwritev"):
        _unsupported(name)


def watch_keyring(backend: type[Any], refusal: Callable[[str], BaseException]) -> None:
    """Count the calls of a keyring back end among the others."""

    def wrap(name: str, operation: str) -> None:
        real = getattr(backend, name)

        def wrapper(self: Any, service: str, username: str, *rest: Any) -> Any:
            if not SHIM.roots:
                return real(self, service, username, *rest)
            return SHIM.call(
                operation,
                f"{service}/{username}",
                lambda: real(self, service, username, *rest),
                refuse=refusal,
            )

        setattr(backend, name, wrapper)

    wrap("get_password", "keyring-get")
    wrap("set_password", "keyring-set")
    wrap("delete_password", "keyring-delete")


def from_environment() -> None:
    """Arm this process as `CRASH_PLAN` says: roots, the fault, and the file that takes the list of calls."""
    with contextlib.suppress(KeyError):
        plan = json.loads(os.environ["CRASH_PLAN"])
        install()
        log = _REAL_OPEN(plan["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        SHIM.arm(roots=plan["roots"], fault=plan.get("fault"), log=log)


def normalised(what: str) -> str:
    """Return a path without what differs from run to run: random parts and moments."""
    return re.sub(r"[0-9A-Fa-f]{12,}|\d{8}[T-]?\d{6}Z?|\d{10,}", "*", what)
