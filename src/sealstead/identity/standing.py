"""What became of a key that is believed no more: for whoever is about to sign with it, or holds what it signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sealstead.custody.key_index import IndexEntry, KeyState
from sealstead.errors import ParseError
from sealstead.formats.minisign_key import PublicKey, parse_public_key

if TYPE_CHECKING:
    from sealstead.formats.profile_schema import Profile


class Said(NamedTuple):
    """The end of a sentence that began with the name of the key, and what to do."""

    fact: str
    hint: str


def revoked_since(
    profile: Profile | None, entries: Sequence[IndexEntry], key: PublicKey, at: datetime
) -> datetime | None:
    """Return since when `key` is revoked, whether the profile here says so or the key directory remembers it."""
    moments = [
        entry.revoked_at
        for entry in entries
        if entry.public_key == key.line and entry.revoked_at is not None and entry.revoked_at <= at
    ]
    if profile is not None and profile.verification.statements:
        from sealstead.identity.statements import find_revocation

        if (stated := find_revocation(profile, key, at)) is not None:
            moments.append(stated.revoked_at)
    return min(moments, default=None)


def check_usable(
    profile: Profile | None, entries: Sequence[IndexEntry], key: PublicKey, at: datetime
) -> None:
    """Refuse a revoked key, whether the profile here says so or the key directory remembers it.

    Raises:
        RevokedKeyError: nobody believes what it signs.
    """
    if (moment := revoked_since(profile, entries, key, at)) is not None:
        from sealstead.identity.sign_claim import revoked_error

        raise revoked_error(key, moment)


def told_of(
    profile: Profile | None, entries: Sequence[IndexEntry], key_id: bytes, at: datetime
) -> Said | None:
    """Return why the key with this id is not believed, as far as the profile's statements or the index tell."""
    stated = profile is not None and profile.verification.statements
    return (_stated(profile, key_id, at) if profile and stated else None) or _remembered(entries, key_id, at)


def _stated(profile: Profile, key_id: bytes, at: datetime) -> Said | None:
    from sealstead.identity.statements import find_revocation, known_keys, read_statements

    for key in known_keys(profile):
        if key.key_id != key_id:
            continue
        revocation = find_revocation(profile, key, at)
        if revocation is not None:
            return _revoked(revocation.revoked_at, f" ({revocation.reason})")
        rotations = [each for each in read_statements(profile).rotations if each.predecessor == key]
        if rotations:
            newest = max(rotations, key=lambda each: each.issued_at)
            return _replaced(key, newest.issued_at, newest.successor.id)
    return None


def _remembered(entries: Sequence[IndexEntry], key_id: bytes, at: datetime) -> Said | None:
    for entry in entries:
        try:
            public = parse_public_key(entry.public_key)
        except ParseError:
            continue
        if public.key_id != key_id:
            continue
        state = entry.state_at(at)
        if state is KeyState.REVOKED:
            return _revoked(entry.revoked_at or at, "")
        if state is KeyState.ARCHIVED and entry.archived_at is not None and entry.successor is not None:
            return _replaced(public, entry.archived_at, entry.successor)
    return None


def _revoked(moment: datetime, reason: str) -> Said:
    return Said(
        f"was revoked on {moment:%Y-%m-%d}{reason}",
        "nobody can tell what was signed before that; ask for a signature by the key that is used now",
    )


def _replaced(key: PublicKey, moment: datetime, successor: str) -> Said:
    return Said(
        f"was replaced on {moment:%Y-%m-%d} by key {successor}, and is believed no more",
        f"have it signed anew; to check it against the old key all the same: --public-key {key.line}",
    )
