"""Replace a key while it is still held: the successor is signed for by its predecessor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sealstead.errors import ConflictError, InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.formats.statement import Revocation, make_rotation
from sealstead.identity.history import known_entry
from sealstead.identity.lookup import find_by_id
from sealstead.identity.places import FoundKey, KeyPlaces
from sealstead.identity.profile import ProfileFile, find_profile
from sealstead.identity.rekey import Order, rekey
from sealstead.identity.rekeyed import Rekeyed, pages_of
from sealstead.identity.slots import make_new_key, slot_of
from sealstead.identity.statements import Believed, believed, find_revocation, profile_key
from sealstead.lifecycle.policy import Policy, checked_overlap
from sealstead.record import Record
from sealstead.secret import Secret


class KeepOldError(InputError):
    """An overlap needs the old key, and `--no-keep-old` gives it up."""

    code = "keep-old"


class RevokedKeyError(ConflictError):
    """Nobody believes a revoked key, so it cannot be kept for a while, or brought back."""

    code = "revoked-key"


class NeededElsewhereError(ConflictError):
    """Another profile names the key that was to be destroyed."""

    code = "needed-elsewhere"


class Rotation(Record):
    """What to do about which key. `old` is the key that the profile names, or the identity's if it names none."""

    profile: ProfileFile | None
    old: FoundKey
    explicit: Path | None = None
    overlap: timedelta = timedelta(0)
    keep_old: bool = True
    proofs_end: datetime | None = None
    package: str | None = None
    remembered: datetime | None = None
    """Since when the old key is revoked, as far as the key directory remembers: this profile may not say so."""

    def revocation(self, at: datetime) -> Revocation | None:
        """Return what the profile says of the old key, if it is revoked: then its word about a successor is none."""
        if self.profile is None or self.old.public is None:
            return None
        return find_revocation(self.profile.profile, self.old.public, at)

    def is_revoked(self, at: datetime) -> bool:
        return self.remembered is not None or self.revocation(at) is not None


def check_rotation(rotation: Rotation, *, at: datetime) -> None:
    """Refuse what cannot be, before anybody is asked for a passphrase.

    Raises:
        KeepOldError, InvalidOverlapError, RevokedKeyError: as they say.
    """
    checked_overlap(rotation.overlap, Policy())
    if rotation.overlap and not rotation.keep_old:
        raise KeepOldError(
            "--overlap keeps the old key, and --no-keep-old gives it up", hint="use one of the two"
        )
    revocation = rotation.revocation(at)
    if rotation.is_revoked(at) and rotation.overlap:
        why = f" ({revocation.reason})" if revocation is not None else ""
        raise RevokedKeyError(
            f"the old key is revoked{why}: nobody would believe it until the end of an overlap",
            hint="leave --overlap out",
        )


def preview(places: KeyPlaces, rotation: Rotation, *, at: datetime) -> Rekeyed:
    """Return what `rotate` would do, without a key being opened or made."""
    check_rotation(rotation, at=at)
    slot = slot_of(places, rotation.old.identity, rotation.explicit)
    public = rotation.old.public
    archived = places.directory.archive_path(slot.identity, public.id) if public else None
    return Rekeyed(
        command="key-rotate",
        identity=slot.identity,
        old_id=public.id if public else None,
        new_id=None,
        new_public_key=None,
        secret_path=slot.secret,
        archived_path=archived if rotation.keep_old else None,
        profile_path=rotation.profile.path if rotation.profile else None,
        retires_at=at + rotation.overlap if rotation.overlap else None,
        pages=pages_of(rotation.profile.profile) if rotation.profile else (),
        in_keyring=False,
        stated=rotation.profile is not None and not rotation.is_revoked(at),
        dry_run=True,
    )


def rotate(
    places: KeyPlaces,
    rotation: Rotation,
    *,
    at: datetime,
    open_key: Callable[[FoundKey], SecretKey],
    new_passphrase: Secret[str] | None,
) -> Rekeyed:
    """Make the successor and put it in the place of the old key; both have signed the statement about it.

    The caller holds the directory's lock and has called `recover_pending`.

    Raises:
        KeepOldError, InvalidOverlapError, RevokedKeyError, NeededElsewhereError: refused; nothing was changed.
        PassphraseNeededError, WrongPassphraseError, OtherKeyError: the old key does not open; nothing was changed.
        ChangeConflictError, ChangeUnfinishedError, WriteFailedError: as `change.carry_out`.
    """
    check_rotation(rotation, at=at)
    old = open_key(rotation.old)
    _check_named(rotation.profile, old.public)
    if not rotation.keep_old and (other := _other_profile(places, rotation, old.public)):
        raise NeededElsewhereError(
            f"{other} names key {old.public.id} too, and would have none left",
            hint="leave --no-keep-old out: the key goes to the archive, where that profile finds it",
        )
    new_key, new = make_new_key(new_passphrase)
    retires_at = at + rotation.overlap
    # A thief of a revoked key could sign such a statement as well: it would say nothing.
    states = rotation.profile is not None and not rotation.is_revoked(at)
    statement = make_rotation(old, new_key, issued_at=at, retires_at=retires_at) if states else None
    kept = _promises(
        places, rotation, new_key, at=at, chain_end=retires_at if states else at, open_key=open_key
    )
    return rekey(
        places,
        Order(
            command="key-rotate",
            slot=slot_of(places, rotation.old.identity, rotation.explicit),
            profile=rotation.profile,
            old=rotation.old,
            old_public=old.public,
            new_key=new_key,
            new=new,
            statements=(*((statement,) if statement else ()), *kept.values()),
            kept_promises=tuple(kept),
            retires_at=retires_at if rotation.overlap else None,
            keep_old=rotation.keep_old,
            proofs_end=rotation.proofs_end,
            package=rotation.package,
        ),
        at=at,
    )


def _promises(
    places: KeyPlaces,
    rotation: Rotation,
    successor: SecretKey,
    *,
    at: datetime,
    chain_end: datetime,
    open_key: Callable[[FoundKey], SecretKey],
) -> dict[Believed, str]:
    """Return statements by which keys that are retiring already keep their ends under the new key, where they can sign.

    Without one, such a key would be believed only as long as the key that is replaced now. That its secret half is
    here shows that it is ours: the word of a revoked key about its predecessor would not.
    """
    kept: dict[Believed, str] = {}
    if rotation.profile is None:
        return kept
    for each in believed(rotation.profile.profile, at, own_vouches=True):
        if each.retires_at is None or each.retires_at <= chain_end:
            continue
        try:
            key = open_key(find_by_id(places, each.key.id))
            if key.public == each.key:
                kept[each] = make_rotation(key, successor, issued_at=at, retires_at=each.retires_at)
        except (KeyUnavailableError, ParseError):
            continue  # its end is told of, once the profile is made
    return kept


def _other_profile(places: KeyPlaces, rotation: Rotation, old: PublicKey) -> Path | None:
    """Return another profile that names the key, as far as the index remembers any."""
    known = known_entry(places, rotation.old.identity, old)
    for name in dict.fromkeys((known.profile, *known.others) if known else ()):
        path = Path(name) if name else None
        if path is None or (rotation.profile is not None and path == rotation.profile.path):
            continue
        try:
            named = profile_key(find_profile(str(path), path.parent).profile)
        except (InputError, ParseError):
            continue
        if named == old:
            return path
    return None


def _check_named(profile: ProfileFile | None, old: PublicKey) -> None:
    named = profile_key(profile.profile) if profile else None
    if named is not None and named != old:
        raise ConflictError(
            f"the profile names key {named.id}, and this is {old.id}",
            hint="choose the identity of the profile's key with --keyring-identity, or see key-recover",
        )
