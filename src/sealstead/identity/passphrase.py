"""Set, change and remove the passphrase of a secret key: on disk and in the keyring, the same key as before.

Archived keys keep the passphrase that they had.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from pathlib import Path

from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import ConflictError, InputError
from sealstead.formats.minisign import PublicKey, serialize_public_key
from sealstead.identity.change import Change, FileChange, KeyringChange, carry_out
from sealstead.identity.generate import new_key_file
from sealstead.identity.keyslots import FoundKey, KeyPlaces, index_entries
from sealstead.primitives import compare_digest
from sealstead.record import Record, replace
from sealstead.secret import Secret


class Action(enum.StrEnum):
    SET = "set"
    CHANGE = "change"
    REMOVE = "remove"


class PassphraseStateError(ConflictError):
    """The key has a passphrase where none was expected, or the other way round."""

    code = "passphrase-state"


class NewPassphraseError(InputError):
    """No new passphrase was given."""

    code = "new-passphrase"


class Resealed(Record):
    identity: str
    public: PublicKey
    encrypted: bool
    path: Path | None
    in_keyring: bool
    warnings: tuple[str, ...] = ()


def change_passphrase(
    places: KeyPlaces,
    found: FoundKey,
    action: Action,
    *,
    current: Callable[[], Secret[str] | None],
    new: Callable[[], Secret[str] | None],
    dry_run: bool = False,
) -> Resealed:
    """Write the key `found` under its new passphrase, or in the clear. The callers of `current` and `new` ask for them.

    Raises:
        PassphraseStateError: `set` for a key that has one; `change` or `remove` for a key that has none.
        PassphraseNeededError, WrongPassphraseError: the present one was not given, or is another.
        NewPassphraseError: the new one was not given.
    """
    if found.file.encrypted and action is Action.SET:
        raise PassphraseStateError(
            f"the key of {found.identity} has a passphrase already", hint="use: key-password change"
        )
    if not found.file.encrypted and action is not Action.SET:
        raise PassphraseStateError(
            f"the key of {found.identity} has no passphrase", hint="use: key-password set"
        )
    key = found.open(current)
    passphrase = None if action is Action.REMOVE else new()
    if action is not Action.REMOVE and passphrase is None:
        raise NewPassphraseError(
            "no new passphrase was given",
            hint="give it with --password-stdin or --new-password-file, or run this at a terminal",
        )
    if dry_run:
        return _resealed(found, key.public, passphrase, in_keyring=found.source == "keyring")
    blob = new_key_file(key, passphrase)
    # A keyring is no place for the only copy while it is rewritten: such a key goes to the disk first.
    path = found.path or _place_on_disk(places, found, key.public)
    keyring = None if found.source == "explicit" else _entry(places, found, blob)
    encrypted = passphrase is not None
    index = [
        replace(
            entry,
            encrypted=encrypted,
            file=path.name if found.path is None else entry.file,
            stored=entry.stored if found.path is not None else ("disk", "keyring"),
        )
        for entry in index_entries(places)
        if (entry.identity, entry.key_id) == (found.identity, key.public.id)
    ]
    public_path = path.with_suffix(".pub")
    warnings = carry_out(
        places,
        Change(
            command="key-password",
            identity=found.identity,
            files=(
                FileChange(
                    path=path,
                    content=blob,
                    secret=True,
                    expected=found.blob if found.path is not None else None,
                    checked=True,
                    expendable=True,
                ),
                # Encrypted, the key file no longer tells which key it is: its public half has to.
                FileChange(path=public_path, content=serialize_public_key(key.public)),
            ),
            keyring=keyring,
            index=tuple(index),
            facts={"new_id": key.public.id},
        ),
    )
    told = _resealed(found, key.public, passphrase, in_keyring=keyring is not None and not warnings)
    return replace(told, path=path, warnings=tuple(warnings))


def _place_on_disk(places: KeyPlaces, found: FoundKey, public: PublicKey) -> Path:
    """Return where a key belongs that was in the keyring alone: its own place, or the archive if another key has that.

    Raises:
        PassphraseStateError: both are taken.
    """
    path = places.directory.secret_path(found.identity)
    archive = places.directory.archive_path(found.identity, public.id)
    free = next((each for each in (path, archive) if not os.path.lexists(each)), None)
    if free is None:
        raise PassphraseStateError(
            f"{path} and {archive} hold other keys, and this one is in the keyring alone",
            hint="key-export writes a copy of it; key-import takes it under another --keyring-identity",
        )
    return free


def _resealed(
    found: FoundKey, public: PublicKey, passphrase: Secret[str] | None, *, in_keyring: bool
) -> Resealed:
    return Resealed(
        identity=found.identity,
        public=public,
        encrypted=passphrase is not None,
        path=found.path,
        in_keyring=in_keyring,
    )


def _entry(places: KeyPlaces, found: FoundKey, blob: bytes) -> KeyringChange | None:
    """The keyring follows if it holds this very key; anything else there is not ours to touch."""
    if places.keyring is None:
        return None
    try:
        held = places.keyring.get(found.identity)
    except (KeyringTimeoutError, KeyringRefusedError):
        return None
    if held is None or not compare_digest(held, found.blob):
        return None
    return KeyringChange(before=held, after=blob)
