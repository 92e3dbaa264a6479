"""What is there of an identity's keys, before a new one takes their place; and the way to the archive for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

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


class KeyExistsError(ConflictError):
    """The identity has a key already, or what is left of one."""

    code = "key-exists"


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What an identity has before a key is made for it."""

    blob: bytes | None = field(repr=False)
    """The key file on disk."""
    keyring_blob: bytes | None = field(repr=False)
    publics: tuple[PublicKey, ...]
    """Every public key known to be of this identity, the present one first."""
    keyring_reason: str | None
    """Why the keyring is not used; None: it is."""

    @property
    def present(self) -> PublicKey | None:
        return self.publics[0] if self.publics else None


def look_at(places: KeyPlaces, identity: str, *, explicit: Path | None = None) -> Existing:
    """Return what is there of an identity's keys."""
    path, public_path = paths_of(places, identity, explicit)
    blob: bytes | None = None
    if path.exists() or path.is_symlink():
        blob, _ = places.directory.load_secret(path)
    keyring_blob, reason = None, "a key file was named" if explicit else None
    if explicit is None:
        try:
            if places.keyring is None:
                reason = places.keyring_reason
            else:
                keyring_blob = places.keyring.get(identity)
        except (KeyringTimeoutError, KeyringRefusedError) as exc:
            reason = exc.message
    found: list[PublicKey | None] = [_public_of(blob), read_public(public_path), _public_of(keyring_blob)]
    if explicit is None:
        found += [
            parsed_key(entry.public_key) for entry in index_entries(places) if entry.identity == identity
        ]
        for old in archives(places, identity):
            found += [read_public(old.with_suffix(".pub")), _public_of(_loaded(places, old))]
    return Existing(
        blob=blob,
        keyring_blob=keyring_blob,
        publics=tuple(dict.fromkeys(public for public in found if public is not None)),
        keyring_reason=reason,
    )


def check_free(places: KeyPlaces, identity: str, existing: Existing, *, explicit: Path | None = None) -> None:
    """Raises KeyExistsError if a new key would take the place of one, or of what is left of one."""
    path, public_path = paths_of(places, identity, explicit)
    shown = f"{existing.present.id} " if existing.present else ""
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
    """Return what brings the present key, and the keyring's if it is another one, to the archive."""
    changes: list[FileChange] = []
    index: list[IndexEntry] = []
    first: Path | None = None
    for blob in dict.fromkeys(blob for blob in (existing.blob, existing.keyring_blob) if blob is not None):
        public = _public_of(blob) or (existing.present if blob == existing.blob else None)
        name = public.id if public else f"UNKNOWN-{os.urandom(4).hex()}"
        path = places.directory.archive_path(identity, name)
        first = first or path
        if path in [change.path for change in changes] or path.exists():
            continue
        changes.append(FileChange(path=path, content=blob, phase=Phase.PREPARE, secret=True))
        if public is None:
            continue
        changes.append(
            FileChange(
                path=path.with_suffix(".pub"), content=serialize_public_key(public), phase=Phase.PREPARE
            )
        )
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
                archived_at=at,
                successor=successor.id,
            )
        )
    return changes, index, first


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
