"""Replace a key that is gone. Nothing vouches for the replacement: who has the profile, has the name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sealstead.errors import ConflictError, KeyUnavailableError, ParseError
from sealstead.identity.keyslots import find_key
from sealstead.identity.places import FoundKey, KeyPlaces, NoKeyError
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


def find_usable(
    places: KeyPlaces,
    identity: str,
    profile: ProfileFile,
    *,
    anywhere: bool,
    explicit: Path | None = None,
) -> FoundKey | None:
    """Return the secret key that the profile names, if it is still here; without a name, the identity's.

    An encrypted key of which nobody knows the public half may be the one, and counts. A damaged one is gone.
    """
    wanted = profile_key(profile.profile)
    try:
        return find_key(
            places, identity, wanted=wanted, explicit=explicit, anywhere=anywhere and wanted is not None
        )
    except (NoKeyError, KeyUnavailableError, ParseError):
        return None


def check_lost(found: FoundKey | None, profile: ProfileFile) -> None:
    """Refuse to replace what is still here.

    Raises:
        KeyStillThereError: it names the key.
    """
    if found is None:
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
