"""The journal of a change in the key directory, and the few file operations that a change is made of.

`journal.json` is there exactly while a change is under way. Each operation is one that a crash leaves done or not
done: a name appears, is replaced, or goes. Only staged files are ever half-written; they are judged by their digest.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sealstead.custody import files
from sealstead.custody.key_dir import JOURNAL_FILE, KeyDir
from sealstead.errors import ConflictError
from sealstead.lifecycle.journal import Journal, parse_journal, serialize_journal
from sealstead.primitives import sha256

UNREADABLE = "!"
"""In the place of a digest: something is there, and it is no file that a change would have left."""

_MAX_BYTES = 4 << 20
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class StagedLeftoverError(ConflictError):
    """A staged file is there that no journal knows: it may be the only copy of something."""

    code = "staged-leftover"


class WriteFailedError(ConflictError):
    """The system did not let us write, or what was written is not what is there."""

    code = "write-failed"


def load_journal(directory: KeyDir) -> Journal | None:
    """Return the journal of the change that is under way here, if any.

    Raises:
        JournalDamagedError: what is there is no journal of ours.
        UnsafeFileError, UnreadableFileError: it cannot be read.
    """
    try:
        content, _ = files.read_secret(directory.path / JOURNAL_FILE, limit=_MAX_BYTES)
    except files.MissingFileError:
        return None
    return parse_journal(content)


def sweep(directory: KeyDir) -> None:
    """Remove what a process that is gone was just writing, a journal or a temporary file. Needs the lock."""
    remove(directory.staged_path(directory.path / JOURNAL_FILE))
    for path in directory.unfinished():
        remove(path)


def save_journal(directory: KeyDir, journal: Journal) -> None:
    path = directory.path / JOURNAL_FILE
    staged = directory.staged_path(path)
    sweep(directory)
    stage(staged, serialize_journal(journal), mode=files.OWNER_FILE)
    put_in_place(staged, path)


def remove_journal(directory: KeyDir) -> None:
    remove(directory.path / JOURNAL_FILE)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def digest_of(path: Path) -> str | None:
    """Return the digest of what `path` holds, None if there is nothing, UNREADABLE if it is no regular file."""
    try:
        return digest(files.read_secret(path)[0])
    except files.MissingFileError:
        return None
    except (files.UnsafeFileError, files.UnreadableFileError):
        return UNREADABLE


def stage(path: Path, content: bytes, *, mode: int, like: Path | None = None) -> None:
    """Write a staged file, whole and durable, and read it back; `like` is whose owner and mode it takes.

    Raises:
        StagedLeftoverError: there is one already.
        WriteFailedError: it cannot be written, or does not hold what was written.
    """
    with _explained(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o600)
        except FileExistsError as exc:
            raise StagedLeftoverError(
                f"{path} appeared just now", hint="another command is at work here; run it again"
            ) from exc
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                _take_after(file.fileno(), like, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        files.sync_directory(path.parent)
        if digest_of(path) != digest(content):
            raise WriteFailedError(f"{path} does not hold what was written to it")


def put_in_place(staged: Path, path: Path) -> None:
    """Give a staged file its name; what was there is gone in the same instant."""
    with _explained(path):
        staged.replace(path)
        files.sync_directory(path.parent)


def add(staged: Path, path: Path) -> None:
    """Give a staged file a name that nothing has yet.

    Raises:
        FileExistsConflictError: something has it.
    """
    with _explained(path):
        try:
            os.link(staged, path)
        except FileExistsError as exc:
            raise files.FileExistsConflictError(f"{path} exists already") from exc
        except OSError as exc:
            if exc.errno not in files.NO_LINKS:
                raise
            if path.exists() or path.is_symlink():
                raise files.FileExistsConflictError(f"{path} exists already") from exc
            staged.rename(path)
        staged.unlink(missing_ok=True)
        files.sync_directory(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with _explained(path), contextlib.suppress(FileNotFoundError):
        path.unlink()
        files.sync_directory(path.parent)


def _take_after(descriptor: int, like: Path | None, mode: int) -> None:
    try:
        status = None if like is None else like.stat()
    except FileNotFoundError:
        status = None
    if status is None:
        os.fchmod(descriptor, mode)
        return
    # Somebody else's file that we may write keeps its owner if the system lets us, its mode always.
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise WriteFailedError(f"{path} cannot be written: {exc.strerror or type(exc).__name__}") from exc
