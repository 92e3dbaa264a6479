"""Replace a key that is gone. Nothing vouches for the replacement: who has the profile, has the name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sealstead.custody.files import MissingFileError
from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import ConflictError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import PublicKey
from sealstead.identity.keyslots import find_key
from sealstead.identity.lookup import find_by_id
from sealstead.identity.places import FoundKey, KeyPlaces, NoKeyError, index_entries
from sealstead.identity.profile import ProfileFile
from sealstead.identity.rekey import Order, rekey
from sealstead.identity.rekeyed import Rekeyed, pages_of
from sealstead.identity.slots import make_new_key, slot_of
from sealstead.identity.statements import profile_key
from sealstead.secret import Secret


class KeyStillThereError(ConflictError):
    """The secret key that the profile names is not lost. `found` is it."""

    code = "key-still-there"

    def __init__(self, message: str, *, found: FoundKey, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.found = found


class UnsureError(ConflictError):
    """A place where the secret key may be could not be looked at."""

    code = "unsure"


class Search(NamedTuple):
    found: FoundKey | None
    unseen: tuple[str, ...]
    """Why a place could not be looked at, where the key may well be."""


def find_usable(
    places: KeyPlaces,
    identity: str,
    profile: ProfileFile,
    *,
    explicit: Path | None = None,
) -> Search:
    """Look for the secret key that the profile names, whoever's it is and wherever; without a name, the identity's.

    An encrypted key of which nobody knows the public half may be the one, and counts. A damaged one is gone.
    """
    wanted = profile_key(profile.profile)
    unseen: list[str] = []
    maybe: FoundKey | None = None
    for where in dict.fromkeys((explicit, None)):
        try:
            found = find_key(places, identity, wanted=wanted, explicit=where, anywhere=wanted is not None)
        except (NoKeyError, MissingFileError, ParseError):
            continue
        except KeyUnavailableError as exc:
            unseen.append(exc.message)
            continue
        if wanted is None or found.public == wanted:
            return Search(found, ())
        maybe = maybe or (found if found.public is None else None)
    if wanted is None:
        return Search(maybe, tuple(unseen))
    named = _under_another_name(places, wanted, unseen)
    if named is None and _told_of_keyring(places, wanted):
        reason = _keyring_silence(places, identity)
        unseen += [reason] if reason else []
    return Search(named or maybe, tuple(dict.fromkeys(unseen)))


def _under_another_name(places: KeyPlaces, wanted: PublicKey, unseen: list[str]) -> FoundKey | None:
    """Look through the archives and keyring entries of every identity."""
    try:
        found = find_by_id(places, wanted.id)
        if found.public == wanted:
            return found
    except NoKeyError:
        pass
    for entry in index_entries(places):
        if entry.public_key != wanted.line:
            continue
        try:
            found = find_key(places, entry.identity, wanted=wanted)
        except (NoKeyError, MissingFileError, ParseError):
            continue
        except KeyUnavailableError as exc:
            unseen.append(exc.message)
            continue
        if found.public == wanted:
            return found
    return None


def _told_of_keyring(places: KeyPlaces, wanted: PublicKey) -> bool:
    """Tell whether the key may be in the keyring: the index says so, or knows nothing of the key at all."""
    known = [entry for entry in index_entries(places) if entry.public_key == wanted.line]
    return not known or any("keyring" in entry.stored for entry in known)


def _keyring_silence(places: KeyPlaces, identity: str) -> str | None:
    """Return why a keyring that is there does not tell; None where there is none, or where it did."""
    if places.keyring is None:
        return places.keyring_reason if _kept_in_keyring(places) else None
    try:
        places.keyring.get(identity)
    except (KeyringTimeoutError, KeyringRefusedError) as exc:
        return exc.message
    return None


def _kept_in_keyring(places: KeyPlaces) -> bool:
    return any("keyring" in entry.stored for entry in index_entries(places))


def check_lost(search: Search, profile: ProfileFile) -> None:
    """Refuse to replace what is still here, or may be.

    Raises:
        KeyStillThereError: it names the key.
        UnsureError: it names the place that could not be looked at.
    """
    found = search.found
    if found is None:
        if search.unseen:
            raise UnsureError(
                f"the key that {profile.name} names may be where it could not be looked for: {'; '.join(search.unseen)}",
                hint="make that place readable and run it again; --force takes the key for lost",
            )
        return
    place = str(found.path) if found.path else f"the keyring entry of {found.identity}"
    hint = "replace it with key-rotate, which both keys sign; --force gives it up all the same"
    if profile_key(profile.profile) is None:
        raise KeyStillThereError(
            f"{found.identity} has a secret key: {place}; {profile.name} only names none yet",
            found=found,
            hint="keygen writes a public key into the profile; --force makes a new pair",
        )
    if found.public is None:
        raise KeyStillThereError(
            f"{place} is encrypted and may be the key that {profile.name} names", found=found, hint=hint
        )
    raise KeyStillThereError(
        f"the secret key {found.public.id}, which {profile.name} names, is still usable: {place}",
        found=found,
        hint=hint,
    )


def preview(
    places: KeyPlaces, identity: str, profile: ProfileFile, found: FoundKey | None, *, explicit: Path | None
) -> Rekeyed:
    """Return what `recover` would do, without a key being made."""
    named = profile_key(profile.profile)
    slot = slot_of(places, found.identity if found else identity, explicit)
    return Rekeyed(
        command="key-recover",
        identity=slot.identity,
        old_id=named.id if named else None,
        new_id=None,
        new_public_key=None,
        secret_path=slot.secret,
        archived_path=places.directory.archive_path(slot.identity, named.id) if found and named else None,
        profile_path=profile.path,
        retires_at=None,
        pages=pages_of(profile.profile),
        in_keyring=False,
        stated=False,
        dry_run=True,
    )


def recover(
    places: KeyPlaces,
    identity: str,
    profile: ProfileFile,
    found: FoundKey | None,
    *,
    at: datetime,
    new_passphrase: Secret[str] | None,
    explicit: Path | None = None,
    proofs_end: datetime | None = None,
    package: str | None = None,
) -> Rekeyed:
    """Make a replacement for the key that the profile names, and put it in its place, in the profile too.

    `found` is what `find_usable` returned: what is still there goes to the archive. The caller holds the directory's
    lock, has called `recover_pending`, and `check_lost` unless it was told to go on.
    """
    new_key, new = make_new_key(new_passphrase)
    return rekey(
        places,
        Order(
            command="key-recover",
            slot=slot_of(places, found.identity if found else identity, explicit),
            profile=profile,
            old=found,
            old_public=profile_key(profile.profile),
            new_key=new_key,
            new=new,
            proofs_end=proofs_end,
            package=package,
        ),
        at=at,
    )
