"""Bring a key from another machine: check its file, and put it in its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sealstead.custody.files import MissingFileError
from sealstead.custody.key_dir import MAX_KEY_FILE_BYTES
from sealstead.errors import ConflictError, InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import PublicKey, SecretKey, parse_secret_key
from sealstead.formats.minisign_text import PassphraseNeededError
from sealstead.formats.profile_edit import edit_profile
from sealstead.identity.change import Change, FileChange, carry_out
from sealstead.identity.history import new_entry, old_entry
from sealstead.identity.places import KeyPlaces
from sealstead.identity.profile import ProfileFile
from sealstead.identity.slots import (
    KeyFile,
    Slot,
    displaced_by,
    fill,
    keyring_change,
    leaving,
)
from sealstead.identity.statements import find_revocation, profile_key
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record
from sealstead.secret import Secret


class ImportSourceError(InputError):
    """What should be imported is no file that can be read."""

    code = "import-source"


class MisfitError(ConflictError):
    """The key is not the one that the profile here names."""

    code = "misfit"


class SlotTakenError(ConflictError):
    """The identity has another key already."""

    code = "slot-taken"


class Imported(Record):
    identity: str
    key: PublicKey
    path: Path
    encrypted: bool
    in_keyring: bool
    archived: tuple[Path, ...]
    profile_written: Path | None
    fits: bool | None
    """Whether the profile here names it; None: there is none, or it names none."""
    unchanged: bool = False
    """It was here already, to the byte."""
    warnings: tuple[str, ...] = ()
    dry_run: bool = False


def load_import(path: Path) -> bytes:
    """Return the content of a file to be imported. A link is followed: it is the user's own choice.

    Raises:
        ImportSourceError: no regular file, or it cannot be read.
    """
    try:
        if not path.is_file():
            raise ImportSourceError(
                f"{path} is not a file" if path.exists() else f"{path} does not exist",
                hint="name the file that key-export wrote on the other machine",
            )
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as exc:
        raise ImportSourceError(f"{path} cannot be read: {exc.strerror}") from exc


def open_import(path: Path, blob: bytes, passphrase: Callable[[], Secret[str] | None]) -> SecretKey:
    """Return the key in the content of `path`; `passphrase` is called only where it is needed.

    Raises:
        ParseError, DamagedKeyError, PassphraseNeededError, WrongPassphraseError: with the name of the file.
    """
    try:
        parsed = parse_secret_key(blob)
        return parsed.open(passphrase() if parsed.encrypted else None)
    except PassphraseNeededError as exc:
        raise PassphraseNeededError(
            f"{path} is encrypted",
            hint="give its passphrase: --password-stdin, --password-file or PYPI_PROFILE_KEY_PASSWORD",
        ) from exc
    except (ParseError, KeyUnavailableError) as exc:
        raise type(exc)(f"{path}: {exc.message}", hint=exc.hint) from exc


class Import(Record, hidden=("blob",)):
    """A key file, opened: its checksum and its two halves fit."""

    slot: Slot
    blob: bytes
    key: SecretKey
    profile: ProfileFile | None
    identity_named: bool
    """Somebody chose the identity; so the profile here may well be another one's."""

    @property
    def file(self) -> KeyFile:
        encrypted = parse_secret_key(self.blob).encrypted
        return KeyFile(public=self.key.public, blob=self.blob, encrypted=encrypted)

    @property
    def named(self) -> PublicKey | None:
        return profile_key(self.profile.profile) if self.profile else None

    @property
    def belongs(self) -> bool:
        """Whether the profile here is this identity's."""
        username = self.profile.profile.identity.pypi_username if self.profile else ""
        return self.profile is not None and (not self.identity_named or username == self.slot.identity)


def check_import(places: KeyPlaces, order: Import, *, force: bool, at: datetime) -> list[str]:
    """Refuse a key that does not fit the profile, or that would take another's place; return warnings.

    Raises:
        MisfitError, SlotTakenError: and `force` is false.
    """
    warnings: list[str] = []
    named = order.named
    if named is not None and named != order.key.public:
        fact = f"key {order.key.public.id} is not the one that {order.profile.name} names, {named.id}"  # type: ignore[union-attr]
        if order.belongs and not force:
            raise MisfitError(
                fact, hint="choose its identity with --keyring-identity, or import it all the same: --force"
            )
        warnings.append(fact)
    if order.profile is not None:
        revocation = find_revocation(order.profile.profile, order.key.public, at)
        if revocation is not None:
            warnings.append(f"key {order.key.public.id} is revoked ({revocation.reason}): nobody believes it")
    try:
        held, _ = places.directory.load_secret(order.slot.secret)
    except MissingFileError:
        return warnings
    if held != order.blob and not force:
        raise SlotTakenError(
            f"{order.slot.identity} has a key already: {order.slot.secret}",
            hint="import under another --keyring-identity, or replace it: --force (the old one goes to the archive)",
        )
    return warnings


def import_key(
    places: KeyPlaces, order: Import, *, at: datetime, warnings: list[str], dry_run: bool = False
) -> Imported:
    """Put the key in its place: secret file, `.pub`, keyring, and a profile of its identity that names none yet.

    The caller holds the directory's lock, has called `recover_pending` and `check_import`.
    """
    displaced, changes = displaced_by(places, order.slot, order.file, old=None, old_public=None)
    archived = places.directory.archive_path(order.slot.identity, order.key.public.id)
    if _content(archived) == order.blob:
        changes += leaving(archived, order.blob)
    files = [*changes, *fill(order.slot, order.file)]
    profile = order.profile if order.belongs and _names_none(order.profile) else None
    if profile is not None:
        files.append(_naming(profile, order.key.public))
    keyring, problem = keyring_change(places, order.slot, order.file, predecessors=displaced, fill_empty=True)
    told = [*warnings, *([problem] if problem else [])]
    changed = any(_content(change.path) != change.content for change in files) or keyring is not None
    if not dry_run:
        entry = new_entry(
            places,
            order.slot,
            order.file,
            at=None,
            in_keyring=places.keyring is not None and problem is None,
            profile=profile.path if profile else None,
        )
        old = [
            old_entry(places, order.slot.identity, each, at=at, successor=None, retires_at=None, kept=True)
            for each in displaced
        ]
        told += carry_out(
            places,
            Change(
                command="key-import",
                identity=order.slot.identity,
                files=tuple(files),
                keyring=keyring,
                index=tuple(each for each in (entry, *old) if each is not None),
                facts={"new_id": order.key.public.id, "key": order.key.public.line},
            ),
        )
    return Imported(
        identity=order.slot.identity,
        key=order.key.public,
        path=order.slot.secret,
        encrypted=order.file.encrypted,
        in_keyring=places.keyring is not None and problem is None,
        archived=tuple(each.archive for each in displaced),
        profile_written=profile.path if profile else None,
        fits=None if order.named is None else order.named == order.key.public,
        unchanged=not changed,
        warnings=tuple(told),
        dry_run=dry_run,
    )


def _names_none(profile: ProfileFile | None) -> bool:
    return (
        profile is not None and not profile.installed and not profile.profile.verification.public_key.strip()
    )


def _naming(profile: ProfileFile, public: PublicKey) -> FileChange:
    text = edit_profile(profile.text, table=profile.table, public_key=public.line, source=profile.name)
    return FileChange(
        path=profile.path, content=text.encode(), phase=Phase.COMMIT, expected=profile.data, checked=True
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
