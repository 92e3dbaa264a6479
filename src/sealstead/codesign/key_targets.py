"""Where an API key is written: a file of its own, or one line of a dotenv file. 0600, whole or not at all.

What another process that was killed had been writing there is swept away, under the lock of the directory.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sealstead.codesign.git_tree import check_not_in_git
from sealstead.codesign.key_sources import KeyFileError, read_bounded
from sealstead.custody import files
from sealstead.custody.locks import locked_directory
from sealstead.errors import ConflictError, InputError, ParseError
from sealstead.formats.credential_file import (
    DEFAULT_NAME,
    FileKind,
    check_replaceable,
    merge_dotenv,
    parse_credential,
    serialize_plain,
)
from sealstead.secret import Secret

LOCK_SECONDS = 30.0


class KeyWriteError(ConflictError):
    """A key cannot be written to where it is to go."""

    code = "key-write"


class TargetError(InputError):
    """What is where a key is to be written is no file for that."""

    code = "key-target"


@dataclass(frozen=True, kw_only=True)
class KeyTarget:
    path: Path
    kind: FileKind
    name: str = DEFAULT_NAME
    """The variable in a dotenv file."""

    def check(self, *, force: bool = False) -> None:
        """Say whether a key could be written; makes the directories that are missing.

        Raises:
            InsideGitTreeError: git would see it, and `force` is false.
            UnsafeFileError: it is a symbolic link or no regular file.
            TargetError: what is in the file would be lost.
            KeyWriteError: its directory cannot be made or written.
        """
        if not force:
            check_not_in_git(self.path)
        self._content("x")
        make_parents(self.path)
        probe = self.path.with_name(f".{self.path.name}.{os.urandom(6).hex()}.tmp")
        with _explained(self.path):
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.OWNER_FILE))
            probe.unlink(missing_ok=True)

    def held(self) -> Secret[str] | None:
        """Return the key that is there already.

        Raises:
            KeyFileError: there is something, and it is no key.
        """
        data = self._present()
        if not data or not data.strip():
            return None
        try:
            credential = parse_credential(data, name=self.name)
        except ParseError as exc:
            if self.kind is FileKind.DOTENV and self._merges(data):
                return None  # a dotenv file without this variable
            raise KeyFileError(
                f"{self.path} is there and holds no usable API key: {exc.message}", hint=exc.hint
            ) from exc
        return Secret(credential.text)

    def write(self, key: Secret[str]) -> None:
        """Write the key; every other line of a dotenv file stays. Needs the lock; raises as `check`."""
        content = self._content(key.reveal())
        with _explained(self.path):
            files.write_private(self.path, content, replace=True)

    def _present(self) -> bytes | None:
        if self.path.is_symlink():
            raise files.UnsafeFileError(f"{self.path} is a symbolic link", hint="name the file itself")
        try:
            return read_bounded(self.path)[0]
        except files.MissingFileError:
            return None

    def _content(self, key: str) -> bytes:
        data = self._present()
        try:
            if self.kind is FileKind.DOTENV:
                return merge_dotenv(data, self.name, key)
            if data is not None:
                check_replaceable(data, name=self.name)
        except (ParseError, InputError) as exc:
            raise TargetError(f"{self.path} is not written: {exc.message}", hint=exc.hint) from exc
        content = serialize_plain(key)
        if parse_credential(content, name=self.name).text != key:
            raise TargetError("the key would be read back as something else")
        return content

    def _merges(self, data: bytes) -> bool:
        try:
            merge_dotenv(data, self.name, "x")
        except (ParseError, InputError):
            return False
        return True


def sweep(path: Path) -> None:
    """Remove what a process that is gone was just writing to `path`. Needs the lock of its directory."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.tmp")
    with contextlib.suppress(OSError):
        for entry in list(path.parent.iterdir()):
            if pattern.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


@contextlib.contextmanager
def locked_targets(paths: list[Path]) -> Iterator[None]:
    """Hold the locks of the directories of `paths`; they must exist.

    Raises:
        LockBusyError: another process is at work there.
        KeyWriteError: a directory cannot be opened.
    """
    # In one order, or two processes could wait for each other.
    folders = sorted({path.parent.resolve() for path in paths})
    with contextlib.ExitStack() as locks:
        for folder in folders:
            with _explained(folder):
                locks.enter_context(locked_directory(folder, seconds=LOCK_SECONDS))
        yield


def make_parents(path: Path) -> None:
    """Make the directories above `path` that are missing, 0700.

    Raises:
        KeyWriteError: one cannot be made.
    """
    missing = []
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    with _explained(path):
        for one in reversed(missing):
            files.make_private_directory(one)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise KeyWriteError(f"{path} cannot be written: {exc.strerror or exc}") from exc
