"""What is there of an identity's keys, before a new one takes their place; and the way to the archive for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sealstead.custody.files import MissingFileError
from sealstead.custody.journal_file import digest
from sealstead.custody.key_index import IndexEntry
from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import ConflictError, KeyUnavailableError, ParseError
from sealstead.formats.minisign_key import (
    PublicKey,
    parse_public_key,
    parse_secret_key,
    serialize_public_key,
)
from sealstead.identity.change import FileChange
from sealstead.identity.keyslots import KeyPlaces, archives, index_entries
from sealstead.identity.places import read_public
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record


class KeyExistsError(ConflictError):
    """The identity has a key already, or what is left of one."""

    code = "key-exists"


class Existing(Record, hidden=("blob", "keyring_blob")):
    """What an identity has before a key is made for it."""

    blob: bytes | None
    """The key file on disk."""
    keyring_blob: bytes | None
    present: PublicKey | None
    """The public half of the key that is there, or of the one that was; None: nothing beside it tells."""
    publics: tuple[PublicKey, ...]
    """Every public key known to be of this identity, the present one first."""
    keyring_reason: str | None
    """Why the keyring is not used; None: it is."""
    unseen: tuple[PublicKey, ...] = ()
    """Keys of this identity that may be in the keyring alone, which could not be looked at."""


def look_at(places: KeyPlaces, identity: str, *, explicit: Path | None = None) -> Existing:
    """Return what is there of an identity's keys."""
    path, public_path = paths_of(places, identity, explicit)
    blob: bytes | None = None
    if path.exists() or path.is_symlink():
        blob, _ = places.directory.load_secret(path)
    keyring_blob, reason, silent = None, "a key file was named" if explicit else None, False
    if explicit is None:
        try:
            if places.keyring is None:
                reason = places.keyring_reason
            else:
                keyring_blob = places.keyring.get(identity)
        except (KeyringTimeoutError, KeyringRefusedError) as exc:
            reason, silent = exc.message, True
    beside = read_public(public_path)
    present: list[PublicKey | None] = [_public_of(blob), beside, _public_of(keyring_blob)]
    seen = [_public_of(blob) or (beside if blob is not None else None), _public_of(keyring_blob)]
    told: list[PublicKey | None] = []
    in_keyring: set[str] = set()
    if explicit is None:
        entries = [entry for entry in index_entries(places) if entry.identity == identity]
        told += [parsed_key(entry.public_key) for entry in entries]
        for old in archives(places, identity):
            archived = _loaded(places, old)
            named = [_public_of(archived), read_public(old.with_suffix(".pub"))]
            told += named
            seen += named if archived is not None else []
        known = {entry.public_key for entry in entries}
        in_keyring = {entry.public_key for entry in entries if "keyring" in entry.stored}
        if silent:
            # The index may be lost: what it does not know can be in a keyring that does not answer.
            in_keyring |= {public.line for public in (*present, *told) if public and public.line not in known}
    publics = tuple(dict.fromkeys(public for public in (*present, *told) if public is not None))
    return Existing(
        blob=blob,
        keyring_blob=keyring_blob,
        present=next((public for public in present if public is not None), None),
        publics=publics,
        keyring_reason=reason,
        unseen=tuple(
            public for public in publics if reason and public.line in in_keyring and public not in seen
        ),
    )


def check_free(places: KeyPlaces, identity: str, existing: Existing, *, explicit: Path | None = None) -> None:
    """Raises KeyExistsError if a new key would take the place of one, or of what is left of one."""
    path, public_path = paths_of(places, identity, explicit)
    shown = f"{existing.present.id} " if existing.present else ""
    if existing.blob is not None and not _is_key(existing.blob):
        raise KeyExistsError(
            f"{path} is there, and is no key that can be read",
            hint="key-import --force brings a copy back, key-recover replaces the key in the profile too; "
            "--force makes a new one and archives what is there",
        )
    if existing.blob is not None:
        raise KeyExistsError(
            f"{identity} has a key already: {shown}in {path}",
            hint="key-rotate replaces it in the profile too; --force makes a new one and archives this one",
        )
    if existing.keyring_blob is not None:
        raise KeyExistsError(
            f"{identity} has a key already: {shown}in the keyring",
            hint="--no-keyring makes one on disk alone; --force replaces it and archives it",
        )
    if public_path.exists():
        raise KeyExistsError(
            f"{public_path} is there, and the secret key is not",
            hint="if it is lost, key-recover replaces it in the profile; --force makes a new one here",
        )


def to_archive(
    places: KeyPlaces, identity: str, existing: Existing, successor: PublicKey, at: datetime
) -> tuple[list[FileChange], list[IndexEntry], Path | None]:
    """Return what brings the present key, and the keyring's if it is another one, to the archive.

    Every one of them is kept, to the byte: what is in the archive already under the same name is another key until
    its content has been compared.
    """
    changes: list[FileChange] = []
    index: list[IndexEntry] = []
    first: Path | None = None
    for blob in dict.fromkeys(blob for blob in (existing.blob, existing.keyring_blob) if blob is not None):
        # An encrypted key does not tell its public half; what an old index or archive says is of another key.
        public = _public_of(blob) or (
            existing.present if blob == existing.blob or not existing.blob else None
        )
        path, named = _archive_of(places, identity, public, blob, taken=[change.path for change in changes])
        first = first or path
        changes.append(FileChange(path=path, content=blob, phase=Phase.PREPARE, secret=True))
        if public is None or not (named or _public_of(blob)):
            continue
        changes.append(
            FileChange(
                path=path.with_suffix(".pub"), content=serialize_public_key(public), phase=Phase.PREPARE
            )
        )
        if not named:
            continue  # the index knows one key by each id
        known = {entry.key_id: entry for entry in index_entries(places) if entry.identity == identity}
        old = known.get(public.id)
        index.append(
            IndexEntry(
                identity=identity,
                key_id=public.id,
                public_key=public.line,
                created_at=old.created_at if old else None,
                stored=("disk",),
                encrypted=_is_encrypted(blob),
                file=path.name,
                profile=old.profile if old else None,
                others=old.others if old else (),
                archived_at=at,
                successor=successor.id,
            )
        )
    return changes, index, first


def _archive_of(
    places: KeyPlaces, identity: str, public: PublicKey | None, blob: bytes, *, taken: list[Path]
) -> tuple[Path, bool]:
    """Return where `blob` is archived, and whether that is the name of its id; else it is that of its content."""
    unnamed = places.directory.archive_path(identity, digest(blob)[:16].upper())
    if public is None:
        return unnamed, False
    path = places.directory.archive_path(identity, public.id)
    if path in taken:
        return unnamed, False
    try:
        held, _ = places.directory.load_secret(path)
    except MissingFileError:
        return path, True
    except KeyUnavailableError:
        return unnamed, False
    return (path, True) if held == blob else (unnamed, False)


def paths_of(places: KeyPlaces, identity: str, explicit: Path | None) -> tuple[Path, Path]:
    if explicit is not None:
        return explicit, explicit.with_suffix(".pub")
    return places.directory.secret_path(identity), places.directory.public_path(identity)


def parsed_key(line: str) -> PublicKey | None:
    try:
        return parse_public_key(line)
    except ParseError:
        return None


def _public_of(blob: bytes | None) -> PublicKey | None:
    try:
        return parse_secret_key(blob).public if blob is not None else None
    except ParseError:
        return None


def _is_key(blob: bytes) -> bool:
    try:
        parse_secret_key(blob)
    except ParseError:
        return False
    return True


def _is_encrypted(blob: bytes) -> bool:
    try:
        return parse_secret_key(blob).encrypted
    except ParseError:
        return False


def _loaded(places: KeyPlaces, path: Path) -> bytes | None:
    try:
        return places.directory.load_secret(path)[0]
    except KeyUnavailableError:
        return None
