"""Bring an archived key back: to its identity's place, and into the profile that names its successor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sealstead.errors import ConflictError, KeyUnavailableError, ParseError, VerificationError
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.formats.statement import make_rotation
from sealstead.identity.history import known_entry
from sealstead.identity.keyslots import find_key
from sealstead.identity.places import FoundKey, KeyPlaces, NoKeyError
from sealstead.identity.profile import ProfileFile
from sealstead.identity.rekey import Order, rekey
from sealstead.identity.rekeyed import Rekeyed, pages_of
from sealstead.identity.rotate import RevokedKeyError
from sealstead.identity.slots import KeyFile, slot_of
from sealstead.identity.statements import find_revocation, profile_key
from sealstead.record import Record


class OtherProfileError(ConflictError):
    """The profile names a key of somebody else: it is not ours to replace."""

    code = "other-profile"


class Restoration(Record):
    archived: FoundKey
    profile: ProfileFile | None
    """One that names no key yet gets the restored one only if it is of the same identity: see `for_key`."""
    proofs_end: datetime | None = None
    package: str | None = None


def for_key(archived: FoundKey, profile: ProfileFile | None) -> ProfileFile | None:
    """Return the profile that is concerned when a key comes back: not one of another user that names no key yet."""
    if profile is None or profile_key(profile.profile) is not None:
        return profile
    username = profile.profile.identity.pypi_username
    return profile if username in ("", archived.identity) else None


def check_restoration(places: KeyPlaces, restoration: Restoration, *, at: datetime) -> None:
    """Refuse what cannot be, before anybody is asked for a passphrase.

    Raises:
        RevokedKeyError, OtherProfileError: as they say.
    """
    archived, profile = restoration.archived, restoration.profile
    public = archived.public
    if public is None:
        return
    entry = known_entry(places, archived.identity, public)
    revoked_here = entry is not None and entry.revoked_at is not None and entry.revoked_at <= at
    stated = find_revocation(profile.profile, public, at) if profile else None
    if revoked_here or stated:
        raise RevokedKeyError(
            f"key {public.id} is revoked: it does not come back", hint="make a new one: key-rotate"
        )
    named = profile_key(profile.profile) if profile else None
    if named is not None and named != public and _successor(places, archived, named) is None:
        raise OtherProfileError(
            f"the profile names key {named.id}, which is no key of {archived.identity}",
            hint="run it beside the profile of this identity, or away from any profile",
        )


def is_active(restoration: Restoration) -> bool:
    """Tell whether the key is where it should come back to, so that there is nothing to do."""
    named = profile_key(restoration.profile.profile) if restoration.profile else None
    return restoration.archived.source != "archive" and named in (None, restoration.archived.public)


def preview(places: KeyPlaces, restoration: Restoration, *, at: datetime) -> Rekeyed:
    """Return what `restore` would do, without a key being opened."""
    check_restoration(places, restoration, at=at)
    archived, profile = restoration.archived, restoration.profile
    named = profile_key(profile.profile) if profile else None
    public = archived.public
    signs = named is not None and named != public
    return Rekeyed(
        command="key-restore",
        identity=archived.identity,
        old_id=named.id if named and signs else None,
        new_id=public.id if public else None,
        new_public_key=public.line if public else None,
        secret_path=slot_of(places, archived.identity).secret,
        archived_path=None,
        profile_path=profile.path if profile and signs else None,
        retires_at=None,
        pages=pages_of(profile.profile) if profile and signs else (),
        in_keyring=False,
        stated=signs,
        dry_run=True,
    )


def restore(
    places: KeyPlaces,
    restoration: Restoration,
    *,
    at: datetime,
    open_key: Callable[[FoundKey], SecretKey],
) -> Rekeyed:
    """Put the archived key in its place; the one that stands there goes to the archive in its turn.

    A profile that names that one gets the restored key, new proofs, and a rotation that both sign. The caller holds
    the directory's lock and has called `recover_pending`.

    Raises:
        RevokedKeyError, OtherProfileError: refused; nothing was changed.
        PassphraseNeededError, WrongPassphraseError, OtherKeyError: a key does not open; nothing was changed.
        ChangeConflictError, ChangeUnfinishedError, WriteFailedError: as `change.carry_out`.
    """
    check_restoration(places, restoration, at=at)
    archived, profile = restoration.archived, restoration.profile
    key = open_key(archived)
    named = profile_key(profile.profile) if profile else None
    old: FoundKey | None = None
    statements: tuple[str, ...] = ()
    if named is not None and named != key.public:
        old = _successor(places, archived, named)
        if old is None:
            raise OtherProfileError(
                f"the profile names key {named.id}, which is no key of {archived.identity}"
            )
        statements = (make_rotation(open_key(old), key, issued_at=at, retires_at=at),)
    return rekey(
        places,
        Order(
            command="key-restore",
            slot=slot_of(places, archived.identity),
            profile=profile if old or named is None else None,
            old=old,
            old_public=old.public if old else None,
            new_key=key if profile and (old or named is None) else None,
            new=KeyFile(public=key.public, blob=archived.blob, encrypted=archived.file.encrypted),
            statements=statements,
            proofs_end=restoration.proofs_end,
            package=restoration.package,
            leaves_archive=archived if archived.source == "archive" else None,
        ),
        at=at,
    )


def _successor(places: KeyPlaces, archived: FoundKey, named: PublicKey) -> FoundKey | None:
    try:
        found = find_key(places, archived.identity, wanted=named)
    except (NoKeyError, KeyUnavailableError, ParseError, VerificationError):
        return None
    return found
