"""Where the key of an identity stands, and what has to be kept when another takes its place."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sealstead.custody.files import MissingFileError
from sealstead.custody.journal_file import digest
from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import ConflictError, ParseError
from sealstead.formats.minisign import (
    PublicKey,
    SecretKey,
    make_secret_key,
    parse_secret_key,
    serialize_public_key,
    serialize_secret_key,
    sign_bare,
)
from sealstead.identity.change import FileChange, KeyringChange
from sealstead.identity.places import FoundKey, KeyPlaces, read_public
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record
from sealstead.secret import Secret


class NoPublicKeyFileError(ConflictError):
    """Where the public half of a key belongs, there is something else."""

    code = "no-public-key-file"


class Slot(Record):
    """The two files of an identity's key."""

    identity: str
    secret: Path
    public: Path
    named: bool = False
    """Somebody named the file; the keyring's entry is no copy of it."""

    def public_there(self) -> PublicKey | None:
        return read_public(self.public)


class KeyFile(Record, hidden=("blob",)):
    """A secret key, and the content of the file that it is going to be."""

    public: PublicKey
    blob: bytes
    encrypted: bool


class Displaced(Record, hidden=("blob",)):
    """A key that gives up its place: the file it is kept in, or None if it is not kept."""

    public: PublicKey | None
    blob: bytes
    archive: Path


def slot_of(places: KeyPlaces, identity: str, explicit: Path | None = None) -> Slot:
    """Return where the key of `identity` belongs: a file that somebody named, else in the key directory."""
    if explicit is not None:
        path = explicit.absolute()
        return Slot(identity=identity, secret=path, public=path.with_suffix(".pub"), named=True)
    return Slot(
        identity=identity,
        secret=places.directory.secret_path(identity),
        public=places.directory.public_path(identity),
    )


def make_new_key(passphrase: Secret[str] | None) -> tuple[SecretKey, KeyFile]:
    """Return a fresh key and its file, which has been read back, opened and tried."""
    made = make_secret_key(os.urandom(32), os.urandom(8))
    return made, key_file(made, passphrase)


def key_file(key: SecretKey, passphrase: Secret[str] | None) -> KeyFile:
    """Return the file of `key`, sealed under `passphrase` if there is one, and tried."""
    blob = serialize_secret_key(key, passphrase=passphrase, salt=os.urandom(32))
    opened = parse_secret_key(blob).open(passphrase)
    if opened.public != key.public:
        raise RuntimeError("a key that was just written does not read back")
    sign_bare(opened, b"sealstead self-check")  # checks what it made
    return KeyFile(public=key.public, blob=blob, encrypted=passphrase is not None)


def fill(slot: Slot, new: KeyFile) -> tuple[FileChange, ...]:
    """Return the changes that put `new` into the slot.

    Raises:
        NoPublicKeyFileError: beside a key file that somebody named stands something else than a public key.
    """
    if slot.named and slot.public.exists() and slot.public_there() is None:
        raise NoPublicKeyFileError(
            f"{slot.public} is no public key, and its place is needed for one", hint="move it away first"
        )
    return (
        FileChange(path=slot.secret, content=new.blob, secret=True),
        FileChange(path=slot.public, content=serialize_public_key(new.public)),
    )


def displaced_by(
    places: KeyPlaces, slot: Slot, new: KeyFile, *, old: FoundKey | None, old_public: PublicKey | None
) -> tuple[list[Displaced], list[FileChange]]:
    """Return what gives way to `new`, and the changes that copy it into the archive first.

    `old` is the predecessor, wherever it was found; whatever else stands in the slot is kept as well. The
    predecessor is the first of the result. A key whose id nobody knows (encrypted, with no public half beside it)
    is kept under the digest of its file.
    """
    found: list[tuple[PublicKey | None, bytes]] = []
    if old is not None:
        found.append((old_public or old.public, old.blob))
    try:
        blob, _ = places.directory.load_secret(slot.secret)
        if all(blob != known for _, known in found):
            found.append((_public_of(blob) or slot.public_there(), blob))
    except MissingFileError:
        pass
    displaced = []
    changes = []
    for public, blob in found:
        if blob == new.blob:
            continue
        if old is not None and blob == old.blob and old.source == "archive" and old.path is not None:
            archive = old.path
        else:
            archive = _archive_for(places, slot.identity, public, blob)
            changes.append(FileChange(path=archive, content=blob, phase=Phase.PREPARE, secret=True))
            if public is not None:
                # An encrypted key does not tell its public half.
                beside = archive.with_suffix(".pub")
                changes.append(
                    FileChange(path=beside, content=serialize_public_key(public), phase=Phase.PREPARE)
                )
        displaced.append(Displaced(public=public, blob=blob, archive=archive))
    return displaced, changes


def keyring_change(
    places: KeyPlaces, slot: Slot, new: KeyFile, *, predecessors: list[Displaced], fill_empty: bool
) -> tuple[KeyringChange | None, str | None]:
    """Return how the keyring entry follows, or why it stays as it is, in one line.

    It follows only a key that is displaced here; `fill_empty` says whether an entry is made where there is none.
    """
    identity = slot.identity
    if slot.named or places.keyring is None:
        return None, None
    try:
        held = places.keyring.get(identity)
    except (KeyringTimeoutError, KeyringRefusedError) as exc:
        return None, f"{exc.message}; its entry for {identity}, if there is one, stays as it is"
    if held == new.blob:
        return None, None
    if held is None:
        return (KeyringChange(before=None, after=new.blob), None) if fill_empty else (None, None)
    public = _public_of(held)
    for each in predecessors:
        if held == each.blob or (public is not None and public == each.public):
            return KeyringChange(before=held, after=new.blob), None
    name = public.id if public else "that nobody can tell before it is opened"
    return None, f"the keyring entry of {identity} holds another key ({name}) and stays as it is"


def _archive_for(places: KeyPlaces, identity: str, public: PublicKey | None, blob: bytes) -> Path:
    unnamed = places.directory.archive_path(identity, digest(blob)[:16].upper())
    if public is None:
        return unnamed
    path = places.directory.archive_path(identity, public.id)
    try:
        held, _ = places.directory.load_secret(path)
    except MissingFileError:
        return path
    # The same key under another passphrase, or another key that somebody gave the same id: keep both.
    return path if held == blob else unnamed


def _public_of(blob: bytes) -> PublicKey | None:
    try:
        return parse_secret_key(blob).public
    except ParseError:
        return None


def leaving(path: Path, blob: bytes) -> list[FileChange]:
    """Return what removes an archived key in the end, and the public half beside it."""
    leaving = [FileChange(path=path, content=blob, phase=Phase.PREPARE, secret=True, transient=True)]
    beside = path.with_suffix(".pub")
    # What cannot be read stays: nothing depends on it.
    with contextlib.suppress(OSError):
        if beside.is_file() and not beside.is_symlink():
            content = beside.read_bytes()
            leaving.append(FileChange(path=beside, content=content, phase=Phase.PREPARE, transient=True))
    return leaving
