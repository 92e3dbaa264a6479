"""The directory of identity keys: which file is whose, and how secrets get in and out of it.

`~/.pypi_profile` holds `minisign.key` and `minisign.pub` for the identity `default`, `minisign.<identity>.key` and
`.pub` for every other. Beside them: keys on their way in (`.staged`), replaced ones (`minisign[.<identity>].<key
id>.bak`), signed revocations (`….<key id>.revoked`), the index (`keys.json`), the journal and the lock.

Rules:
  * an identity is a part of a file name on every system, or it is refused;
  * secrets are 0600 in a 0700 directory, symbolic links at their names are refused;
  * whoever changes anything holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from sealstead.custody import files
from sealstead.custody.locks import LockBusyError, locked
from sealstead.errors import ConflictError, InputError, KeyUnavailableError

DEFAULT_IDENTITY = "default"
PUBLIC_FILE = 0o644
LOCK_SECONDS = 10.0
MAX_KEY_FILE_BYTES = 16_384
MAX_IDENTITY_CHARS = 100
MAX_IDENTITY_BYTES = 160
"""File names have at most 255 bytes, and ours add an id, an ending and a temporary one."""

JOURNAL_FILE = "journal.json"
DEBTS_FILE = "keyring-unsettled.json"
_TRACES = (JOURNAL_FILE, DEBTS_FILE)

_NOT_IN_FILE_NAMES = frozenset('/\\<>:"|?*')
"""Two separate directories; the rest mean something else on Windows."""

_KEY_ID_AT_THE_END = re.compile(r"(?:^|\.)[0-9A-Fa-f]{16}$")
_REVOCATION = re.compile(r"minisign(?:\.(.+))?\.[0-9A-F]{16}\.revoked")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


_UNFINISHED = re.compile(r"\.(?:minisign.*|keys\.json)\.[0-9a-f]{12}\.tmp")
"""As `files.write_atomically` names them while it writes."""


class IdentityError(InputError):
    """A name that cannot be an identity, since it cannot be a part of a file name."""

    code = "identity"


class KeyDirBusyError(ConflictError):
    """Another process is changing the keys in this directory."""

    code = "key-dir-busy"


class KeyDirError(KeyUnavailableError):
    """The key directory cannot be made, read or written."""

    code = "key-dir"


def default_key_dir() -> Path:
    """Return `~/.pypi_profile`.

    Raises:
        KeyDirError: the system does not know this user's home.
    """
    try:
        return Path.home() / ".pypi_profile"
    except RuntimeError as exc:
        raise KeyDirError("there is no home directory", hint="name a directory: --key-dir") from exc


def check_identity(text: str) -> str:
    """Return the name of an identity, in Unicode's composed form (NFC), as all systems then find it.

    Raises:
        IdentityError: empty, too long, or with characters that cannot be in a file name.
    """
    name = unicodedata.normalize("NFC", text)
    if not name.strip() or name != name.strip():
        raise IdentityError("an identity is not empty and has no blanks around it")
    if len(name) > MAX_IDENTITY_CHARS or len(name.encode("utf-8", "replace")) > MAX_IDENTITY_BYTES:
        raise IdentityError("the identity is too long", hint=f"at most {MAX_IDENTITY_CHARS} characters")
    if (
        name.startswith(".")
        or ".." in name
        or not name.isprintable()
        or not _NOT_IN_FILE_NAMES.isdisjoint(name)
    ):
        raise IdentityError(
            f"{name[:40]!a} cannot be an identity",
            hint="choose letters, digits, dots, dashes and underscores; it becomes a part of a file name",
        )
    if _KEY_ID_AT_THE_END.search(name) or _DEVICE.fullmatch(name):
        raise IdentityError(
            f"{name[:40]!a} cannot be an identity",
            hint="16 hex digits at the end name an archived key's file, and Windows keeps names like CON for devices",
        )
    return name


class KeyDir:
    """One directory of keys. The lock may be taken again by whoever holds it through the same object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._depth = 0

    def __repr__(self) -> str:
        return f"KeyDir({str(self.path)!r})"

    def secret_path(self, identity: str) -> Path:
        return self.path / f"{_stem(identity)}.key"

    def public_path(self, identity: str) -> Path:
        return self.path / f"{_stem(identity)}.pub"

    def archive_path(self, identity: str, key_id: str) -> Path:
        """Where a replaced secret key stays. Its own key id keeps it from ever meeting another one."""
        return self.path / f"{_stem(identity)}.{key_id}.bak"

    def revocation_path(self, identity: str, key_id: str) -> Path:
        """Where the signed revocation of a key stays, for when there is neither an index nor the profile."""
        return self.path / f"{_stem(identity)}.{key_id}.revoked"

    def revocations(self) -> list[tuple[str, Path]]:
        """Return whose keys have such a file, and the files."""
        try:
            names = [entry.name for entry in os.scandir(self.path) if entry.name.endswith(".revoked")]
        except OSError:
            return []
        parts = [
            (found, self.path / name) for name in sorted(names) if (found := _REVOCATION.fullmatch(name))
        ]
        return [
            (found[1] or DEFAULT_IDENTITY, path)
            for found, path in parts
            if _is_identity(found[1] or "default")
        ]

    def staged_path(self, path: Path) -> Path:
        """Where what will become `path` waits for its turn."""
        return path.with_name(f"{path.name}.staged")

    def has_traces(self) -> bool:
        """Tell whether a change may have been left behind here, or the keyring is owed something.

        Raises:
            KeyDirError: the system does not let us look.
        """
        try:
            return any(
                (self.path / name).exists() or self.staged_path(self.path / name).exists() for name in _TRACES
            ) or any(self.unfinished())
        except OSError as exc:
            raise KeyDirError(
                f"{self.path} cannot be read: {exc.strerror}", hint="is it yours? or name another: --key-dir"
            ) from exc

    def unfinished(self) -> Iterator[Path]:
        """Yield temporary files of ours. Whoever holds the lock knows that their writers are gone."""
        return (path for path in self.path.glob(".*.tmp") if _UNFINISHED.fullmatch(path.name))

    def identities(self) -> list[str]:
        """Return whose secret keys are in the directory, `default` first."""
        try:
            names = [entry.name for entry in os.scandir(self.path)]
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise KeyDirError(f"{self.path} cannot be read: {exc.strerror}") from exc
        found = [
            name.removeprefix("minisign.").removesuffix(".key")
            for name in sorted(names)
            if name.startswith("minisign.") and name.endswith(".key") and name != "minisign.key"
        ]
        known = [name for name in found if _is_identity(name) and name != DEFAULT_IDENTITY]
        return [DEFAULT_IDENTITY, *known] if "minisign.key" in names else known

    def make(self) -> None:
        """Make the directory (0700) and what it stands in; what exists is left as it is.

        Raises:
            KeyDirError: it cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            files.make_private_directory(self.path)
        except OSError as exc:
            raise KeyDirError(f"{self.path} cannot be made: {exc.strerror}") from exc
        if not self.path.is_dir():
            raise KeyDirError(f"{self.path} is not a directory")

    @contextlib.contextmanager
    def lock(self, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the directory's lock; the directory is made if need be.

        Raises:
            KeyDirBusyError: another process holds it for longer than `seconds`.
            KeyDirError: no lock can be taken there.
        """
        with contextlib.ExitStack() as held:
            if self._depth == 0:
                self.make()
                try:
                    held.enter_context(locked(self.path / ".lock", seconds=seconds))
                except LockBusyError as exc:
                    raise KeyDirBusyError(
                        f"another command is at work in {self.path}", hint="try again when it has ended"
                    ) from exc
                except OSError as exc:
                    raise KeyDirError(f"{self.path} cannot be locked: {exc.strerror}") from exc
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def load_secret(self, path: Path) -> tuple[bytes, str | None]:
        """Return the content of a key file, and what its owner should be warned of.

        Raises:
            MissingFileError: there is none.
            UnsafeFileError: a symbolic link, a directory, or another thing that is no regular file.
            KeyUnavailableError: it cannot be read.
        """
        content, open_to_others = files.read_secret(path, limit=MAX_KEY_FILE_BYTES + 1)
        if not open_to_others:
            return content, None
        return content, f"{path} is open to other users; run: chmod 600 {path}"

    def store_secret(self, path: Path, content: bytes, *, replace: bool) -> None:
        """Write a secret (0600), whole or not at all.

        Raises:
            UnsafeFileError: `path` is a symbolic link.
            FileExistsConflictError: it exists and `replace` is false.
            KeyDirError: it cannot be written.
        """
        with self._explained(path):
            files.write_private(path, content, replace=replace)

    def store_public(self, path: Path, content: bytes, *, replace: bool = True) -> None:
        """Write what everybody may read (0644), whole or not at all; errors as `store_secret`."""
        with self._explained(path):
            if path.is_symlink():
                raise files.UnsafeFileError(f"{path} is a symbolic link", hint="put the file itself there")
            files.write_atomically(path, content, mode=PUBLIC_FILE, replace=replace)

    @contextlib.contextmanager
    def _explained(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise KeyDirError(f"{path} cannot be written: {exc.strerror}") from exc


def _stem(identity: str) -> str:
    # Every name passes here on its way into a path, checked before or not.
    name = check_identity(identity)
    return "minisign" if name == DEFAULT_IDENTITY else f"minisign.{name}"


def _is_identity(name: str) -> bool:
    try:
        return check_identity(name) == name
    except IdentityError:
        return False
