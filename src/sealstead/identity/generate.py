"""Make a key: key file, public key file, keyring entry, and the public key in the profile here.

Rules:
  * a key that is there is never replaced unless asked to, wherever it is: on disk, in the keyring, or lost but for its
    public half; and then it goes to the archive first;
  * the profile gets the new public key if it names none, or one of this identity; anybody else's is left alone, and
    so is one that may be in a keyring which could not be looked at;
  * everything changes together or not at all (`identity.change`).
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.custody.key_index import IndexEntry
from sealstead.formats.minisign_key import (
    SALT_BYTES,
    SEED_BYTES,
    PublicKey,
    SecretKey,
    make_secret_key,
    parse_secret_key,
    serialize_public_key,
    serialize_secret_key,
)
from sealstead.formats.minisign_text import KEY_ID_BYTES
from sealstead.identity.change import Change, FileChange, KeyringChange, carry_out
from sealstead.identity.existing import check_free, look_at, parsed_key, paths_of, to_archive
from sealstead.identity.keyslots import KeyPlaces
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record
from sealstead.secret import Secret

if TYPE_CHECKING:
    from sealstead.identity.profile import ProfileFile


class Generated(Record):
    identity: str
    public: PublicKey
    secret_path: Path
    public_path: Path
    encrypted: bool
    in_keyring: bool
    keyring_reason: str | None
    profile_path: Path | None
    """The profile that now names the key."""
    profile_names: PublicKey | str | None
    """What the profile names instead, and keeps: another identity's key, or something that is no key."""
    replaced: PublicKey | None
    archived_path: Path | None
    proofs: int
    """How many stored proofs of the profile were made with the key that it named before."""
    warnings: tuple[str, ...] = ()


def new_key() -> SecretKey:
    """Return a key of 256 random bits with a random id."""
    return make_secret_key(os.urandom(SEED_BYTES), os.urandom(KEY_ID_BYTES))


def new_key_file(key: SecretKey, passphrase: Secret[str] | None) -> bytes:
    """Return the file of `key`, checked to open again."""
    blob = serialize_secret_key(key, passphrase=passphrase, salt=os.urandom(SALT_BYTES))
    if parse_secret_key(blob).open(passphrase).public != key.public:
        raise AssertionError  # the machine does not compute as it should
    return blob


def generate(
    places: KeyPlaces,
    identity: str,
    *,
    at: datetime,
    passphrase: Secret[str] | None,
    profile: ProfileFile | None,
    explicit: Path | None = None,
    replace: bool = False,
    dry_run: bool = False,
) -> Generated:
    """Make a key for `identity`; the caller has ended what an interrupted command left behind.

    Raises:
        KeyExistsError: there is one, and `replace` is false.
        ProfileEditError: the profile has no safe place for the public key.
        ChangeConflictError, and what `carry_out` raises: nothing was changed, or it says what was.
    """
    with contextlib.nullcontext() if dry_run else places.directory.lock():
        return _generate(
            places,
            identity,
            at=at,
            passphrase=passphrase,
            profile=profile,
            explicit=explicit,
            replace=replace,
            dry_run=dry_run,
        )


def _generate(
    places: KeyPlaces,
    identity: str,
    *,
    at: datetime,
    passphrase: Secret[str] | None,
    profile: ProfileFile | None,
    explicit: Path | None,
    replace: bool,
    dry_run: bool,
) -> Generated:
    existing = look_at(places, identity, explicit=explicit)
    if not replace:
        check_free(places, identity, existing, explicit=explicit)
    key = new_key()
    path, public_path = paths_of(places, identity, explicit)
    named = _named_by(profile)
    unseen = profile is not None and named in existing.unseen
    takes_over = profile is not None and not unseen and (named is None or named in existing.publics)
    changes, index, archived = to_archive(places, identity, existing, key.public, at)
    blob = new_key_file(key, passphrase)
    changes += [
        FileChange(path=path, content=blob, secret=True, expected=existing.blob, checked=True),
        FileChange(path=public_path, content=serialize_public_key(key.public)),
    ]
    if profile is not None and takes_over:
        from sealstead.formats.profile_edit import edit_profile

        text = edit_profile(
            profile.text, table=profile.table, public_key=key.public.line, source=profile.name
        )
        changes.append(
            FileChange(
                path=profile.path,
                content=text.encode(),
                phase=Phase.COMMIT,
                expected=profile.data,
                checked=True,
            )
        )
    uses_keyring = existing.keyring_reason is None
    if explicit is None:
        index.append(
            IndexEntry(
                identity=identity,
                key_id=key.public.id,
                public_key=key.public.line,
                created_at=at,
                stored=("disk", "keyring") if uses_keyring else ("disk",),
                encrypted=passphrase is not None,
                file=path.name,
                profile=str(profile.path) if profile is not None and takes_over else None,
            )
        )
    warnings: list[str] = []
    unanswered = (
        f"the key that the profile names may be in the keyring, which was not looked at: {existing.keyring_reason}; "
        "if it is lost, key-recover replaces it"
    )
    if not dry_run:
        warnings = carry_out(
            places,
            Change(
                command="keygen",
                identity=identity,
                files=tuple(changes),
                keyring=KeyringChange(before=existing.keyring_blob, after=blob) if uses_keyring else None,
                index=tuple(index),
                facts={"new_id": key.public.id},
            ),
        )
    proofs = (
        [link for link in profile.profile.profiles if link.stored_proof] if profile and takes_over else []
    )
    return Generated(
        identity=identity,
        public=key.public,
        secret_path=path,
        public_path=public_path,
        encrypted=passphrase is not None,
        in_keyring=uses_keyring and not warnings,
        keyring_reason=existing.keyring_reason,
        profile_path=profile.path if profile is not None and takes_over else None,
        profile_names=None if takes_over else named,
        replaced=existing.present if existing.blob or existing.keyring_blob else None,
        archived_path=archived,
        proofs=len(proofs),
        warnings=(*warnings, *((unanswered,) if unseen else ())),
    )


def _named_by(profile: ProfileFile | None) -> PublicKey | str | None:
    line = profile.profile.verification.public_key.strip() if profile else ""
    return (parsed_key(line) or line) if line else None
