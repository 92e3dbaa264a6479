"""Take a key to another machine: write a copy of its file, which opens there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sealstead.custody.files import FileExistsConflictError
from sealstead.errors import InputError, ParseError
from sealstead.formats.minisign import PublicKey, SecretKey, WrongPassphraseError, parse_secret_key
from sealstead.identity.change import Change, FileChange, carry_out
from sealstead.identity.places import FoundKey, KeyPlaces
from sealstead.identity.slots import key_file
from sealstead.identity.targets import refuse_key_dir
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record
from sealstead.secret import Secret


class ExportTargetError(InputError):
    """The place for an export is none."""

    code = "export-target"


class Exported(Record):
    path: Path
    found: FoundKey
    key: PublicKey | None
    encrypted: bool
    aside: Path | None = None
    """Where the other secret key is now that stood in its place."""
    dry_run: bool = False

    @property
    def warning(self) -> str | None:
        if self.encrypted:
            return None
        return f"{self.path} is not encrypted: whoever gets it can sign in your name"


def target_path(path: Path) -> Path:
    return path.absolute().parent.resolve() / path.name


def check_target(path: Path, *, force: bool) -> Path:
    """Return where an export goes.

    Raises:
        ExportTargetError: a directory, or in one that is not there.
        FileExistsConflictError: there is a file, and nobody said that it may go.
    """
    target = target_path(path)
    if target.is_dir():
        raise ExportTargetError(f"{path} is a directory", hint="name a file in it")
    if not target.parent.is_dir():
        raise ExportTargetError(f"{target.parent} is no directory", hint="make it first")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise ExportTargetError(f"{path} is not a regular file", hint="name another one")
    if target.exists() and not force:
        raise FileExistsConflictError(
            f"{path} exists already", hint="choose another name, or replace it: --force"
        )
    return target


def kept_aside(target: Path, blob: bytes) -> FileChange | None:
    """Return what keeps another secret key that stands at `target`: it may be the only copy. `--force` is for files."""
    try:
        held = target.read_bytes()
        public = parse_secret_key(held).public
    except (OSError, ParseError):
        return None
    if held == blob or (public is not None and public == parse_secret_key(blob).public):
        return None
    mark = public.id if public is not None else hashlib.blake2b(held, digest_size=8).hexdigest().upper()
    aside = target.with_name(f"{target.name}.{mark}.bak")
    return FileChange(path=aside, content=held, phase=Phase.PREPARE, secret=True)


def export(
    places: KeyPlaces,
    found: FoundKey,
    target: Path,
    *,
    new_passphrase: Secret[str] | None,
    decrypted: bool,
    open_key: Callable[[FoundKey], SecretKey],
) -> Exported:
    """Write a copy of a key's file for its owner alone; with `new_passphrase` it is encrypted under that.

    Without one the copy is the file as it is, or `decrypted`. The caller has called `check_target`.

    Raises:
        KeyInTheWayError: the target is in the key directory.
    """
    refuse_key_dir(places.directory, target)
    aside = kept_aside(target, found.blob)
    public, blob, encrypted = found.public, found.blob, found.file.encrypted
    if encrypted and new_passphrase is not None and (opened := _opened(found, new_passphrase)):
        public = opened.public  # its passphrase already
    elif new_passphrase is not None or (encrypted and decrypted):
        copy = key_file(open_key(found), new_passphrase)
        public, blob, encrypted = copy.public, copy.blob, copy.encrypted
    carry_out(
        places,
        Change(
            command="key-export",
            identity=found.identity,
            files=(
                *((aside,) if aside is not None else ()),
                FileChange(path=target, content=blob, phase=Phase.COMMIT, secret=True, expendable=True),
            ),
            facts={"target": str(target)},
        ),
    )
    return Exported(
        path=target, found=found, key=public, encrypted=encrypted, aside=aside.path if aside else None
    )


def _opened(found: FoundKey, passphrase: Secret[str]) -> SecretKey | None:
    try:
        return found.file.open(passphrase)
    except WrongPassphraseError:
        return None
