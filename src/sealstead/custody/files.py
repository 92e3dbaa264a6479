"""Files that must survive a crash whole, and files that are nobody else's business.

Every write: a temporary file in the same directory, fsync, rename, fsync of the directory. At every instant the
name holds the old content or the new one, complete. Secrets are 0600 in a 0700 directory; a symbolic link at their
name is refused, for it may lead out of the directory that protects them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path

from sealstead.custody.locks import LockBusyError, try_lock
from sealstead.errors import ConflictError, KeyUnavailableError

OWNER_FILE = 0o600
OWNER_DIRECTORY = 0o700
_OTHERS = 0o077
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""How file systems without hard links say so, such as that of a memory stick."""
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_BUSY_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


class UnsafeFileError(KeyUnavailableError):
    """A secret stands where others could read or replace it."""

    code = "unsafe-file"


class MissingFileError(KeyUnavailableError):
    """A secret file is not where it should be."""

    code = "missing-file"


class UnreadableFileError(KeyUnavailableError):
    """A secret file is there, and the system does not let us read it."""

    code = "unreadable-file"


class FileExistsConflictError(ConflictError):
    """A file of that name is there already, and is not to be replaced."""

    code = "path-exists"


def write_private(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a secret, readable by its owner alone. The directory must exist.

    Raises:
        UnsafeFileError: `path` is a symbolic link.
        FileExistsConflictError: it exists and `replace` is false; nothing is written.
    """
    if path.is_symlink():
        raise UnsafeFileError(f"{path} is a symbolic link", hint="put the file itself there")
    write_atomically(path, content, mode=OWNER_FILE, replace=replace)


def replace_content(path: Path, content: bytes) -> None:
    """Replace a file that is no secret; the new one has the mode of the old, and its owner where we may say so."""
    status = path.stat()
    owner = (status.st_uid, status.st_gid)
    write_atomically(path, content, mode=stat.S_IMODE(status.st_mode), replace=True, owner=owner)


def write_atomically(
    path: Path, content: bytes, *, mode: int, replace: bool, owner: tuple[int, int] | None = None
) -> None:
    """Write `content` so that a crash leaves the old file or the new one, never a part.

    Raises:
        FileExistsConflictError: it exists and `replace` is false.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner and hasattr(os, "fchown"):
                with contextlib.suppress(
                    PermissionError
                ):  # another's file that we may write: ours from now on
                    os.fchown(file.fileno(), *owner)
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)  # the umask may have taken bits of it
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            _claim(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def write_leaving_nothing(
    path: Path, content: bytes, *, mode: int, replace: bool, owner: tuple[int, int] | None = None
) -> None:
    """Write as `write_atomically`; what a killed process left half-written goes away with the next write of the file.

    For directories that are not ours, where nobody would ever clean up. The temporary file has the same name each time,
    and who writes it holds its lock; a search for names with random parts would take longer, the more files there are.

    Raises:
        FileExistsConflictError: it exists and `replace` is false.
        LockBusyError: another process has been writing the same file for seconds.
        UnsafeFileError: what stands at the temporary name is no regular file.
    """
    if os.name != "posix":  # Windows renames no file that is open
        write_atomically(path, content, mode=mode, replace=replace)
        return
    temporary = path.with_name(f".{path.name}.sealstead.tmp")
    descriptor = _locked_new(temporary, mode)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            if owner:
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            temporary.replace(path)
        else:
            _claim(temporary, path)
    except BaseException:
        _remove_same(temporary, descriptor)
        raise
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


def _locked_new(path: Path, mode: int) -> int:
    """Return a new empty file, open and locked; one that nobody holds is a dead process's and is removed."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, mode)
        except FileExistsError:
            if _remove_if_left(path):
                continue
        else:
            # Before it was locked somebody may have taken it for left over.
            if _locks(descriptor) and os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)
        if time.monotonic() > end:
            raise LockBusyError(f"another process is at work: it holds {path}")
        time.sleep(_PAUSE_SECONDS)


def _remove_if_left(path: Path) -> bool:
    """Remove an unfinished file that no process holds; return whether its name may be free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | _NONBLOCK)
    except FileNotFoundError:
        return True
    except OSError as exc:
        if path.is_symlink():
            raise UnsafeFileError(f"{path} is a symbolic link", hint="remove it") from exc
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnsafeFileError(f"{path} is not a regular file", hint="remove it")
        if not _locks(descriptor):
            return False
        _remove_same(path, descriptor)
        return True
    finally:
        os.close(descriptor)


def _remove_same(path: Path, descriptor: int) -> None:
    """Remove the open file from this name, unless another process has begun a new one there."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            path.unlink()


def _locks(descriptor: int) -> bool:
    try:
        return try_lock(descriptor)
    except OSError:
        return True  # a file system without locks: two at once are rarer than leftovers


def read_private(path: Path) -> bytes:
    """Return the content of a secret file.

    Raises:
        MissingFileError: there is none.
        UnsafeFileError: a symbolic link, no regular file, or open to others.
    """
    content, open_to_others = read_secret(path)
    if open_to_others:
        raise UnsafeFileError(f"{path} is open to other users", hint=f"run: chmod 600 {path}")
    return content


def read_secret(path: Path, *, limit: int = -1) -> tuple[bytes, bool]:
    """Return the content of a secret file, at most `limit` bytes of it, and whether other users may open it.

    Raises:
        MissingFileError: there is none.
        UnsafeFileError: a symbolic link, or no regular file.
        KeyUnavailableError: it cannot be read.
    """
    try:
        # Without waiting: a pipe at this name would hold us until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY | _NONBLOCK)
    except FileNotFoundError as exc:
        raise MissingFileError(f"{path} is missing") from exc
    except OSError as exc:
        with contextlib.suppress(OSError):  # the directory may not let us look
            if path.is_symlink():
                raise UnsafeFileError(f"{path} is a symbolic link", hint="put the file itself there") from exc
        raise UnreadableFileError(f"{path} cannot be read: {exc.strerror}") from exc
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFileError(f"{path} is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit), os.name == "posix" and bool(status.st_mode & _OTHERS)
    except OSError as exc:
        raise UnreadableFileError(f"{path} cannot be read: {exc.strerror}") from exc
    finally:
        os.close(descriptor)


def make_private_directory(path: Path) -> None:
    """Make `path` (0700) if it is not there; what exists is left as it is."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=OWNER_DIRECTORY)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename in `path` durable, where directories can be opened (not on Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _claim(temporary: Path, path: Path) -> None:
    # A hard link fails where the name exists; a rename would replace it between a check and the act.
    try:
        os.link(temporary, path)
    except FileExistsError as exc:
        raise FileExistsConflictError(f"{path} exists already") from exc
    except OSError as exc:
        if exc.errno not in NO_LINKS:
            raise
        # The best that is left: between the look and the rename, somebody could still be first.
        if path.exists() or path.is_symlink():
            raise FileExistsConflictError(f"{path} exists already") from exc
        temporary.rename(path)
        return
    temporary.unlink()
