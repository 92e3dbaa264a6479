"""What the index says of keys that come and go: it tells people, and nothing depends on it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sealstead.custody.key_index import ForeignIndexError, IndexEntry, record
from sealstead.errors import ParseError
from sealstead.formats.minisign import PublicKey, parse_secret_key
from sealstead.identity.places import KeyPlaces, index_entries
from sealstead.identity.slots import Displaced, KeyFile, Slot
from sealstead.identity.statements import Believed
from sealstead.record import replace

_MOST_PROFILES = 50


def new_entry(
    places: KeyPlaces,
    slot: Slot,
    new: KeyFile,
    *,
    at: datetime | None,
    in_keyring: bool,
    profile: Path | None,
) -> IndexEntry:
    """Return what the index says of a key that takes the slot."""
    known = known_entry(places, slot.identity, new.public)
    return IndexEntry(
        identity=slot.identity,
        key_id=new.public.id,
        public_key=new.public.line,
        created_at=known.created_at if known else at,
        stored=("disk", "keyring") if in_keyring else ("disk",),
        encrypted=new.encrypted,
        file=_file_name(places, slot.secret),
        profile=str(profile) if profile else (known.profile if known else None),
        others=others_of(known, profile),
    )


def old_entry(
    places: KeyPlaces,
    identity: str,
    old: Displaced,
    *,
    at: datetime,
    successor: PublicKey | None,
    retires_at: datetime | None,
    kept: bool,
) -> IndexEntry | None:
    """Return what the index says of a displaced key; None for one whose public half nobody knows."""
    if old.public is None:
        return None
    known = known_entry(places, identity, old.public)
    return IndexEntry(
        identity=identity,
        key_id=old.public.id,
        public_key=old.public.line,
        created_at=known.created_at if known else None,
        stored=("disk",) if kept else (),
        encrypted=_is_encrypted(old.blob),
        file=_file_name(places, old.archive),
        profile=known.profile if known else None,
        others=known.others if known else (),
        retires_at=retires_at,
        archived_at=at,
        revoked_at=known.revoked_at if known else None,
        successor=successor.id if successor else None,
    )


def others_of(known: IndexEntry | None, profile: Path | None) -> tuple[str, ...]:
    """Return the profiles that are remembered beside `profile`, which names the key now."""
    if known is None:
        return ()
    names = [*known.others, *((known.profile,) if known.profile and profile else ())]
    return tuple(dict.fromkeys(name for name in names if name != str(profile)))[-_MOST_PROFILES:]


def remember_profile(places: KeyPlaces, identity: str, key: PublicKey, profile: Path) -> None:
    """Note that `profile` names the key, if the index knows the key and does not know that. Takes the lock."""
    known = known_entry(places, identity, key)
    if known is None or str(profile) in (known.profile, *known.others):
        return
    with places.directory.lock():
        known = known_entry(places, identity, key) or known
        with contextlib.suppress(ForeignIndexError):
            if known.profile is None:
                record(places.directory, replace(known, profile=str(profile)))
            else:
                record(
                    places.directory, replace(known, others=(*known.others, str(profile))[-_MOST_PROFILES:])
                )


def known_entry(places: KeyPlaces, identity: str, public: PublicKey) -> IndexEntry | None:
    for entry in index_entries(places):
        if (entry.identity, entry.public_key) == (identity, public.line):
            return entry
    return None


def lost_entry(
    places: KeyPlaces, identity: str, lost: PublicKey, *, at: datetime, successor: PublicKey
) -> IndexEntry:
    """Return what the index says of a key that is nowhere any more."""
    known = known_entry(places, identity, lost)
    return IndexEntry(
        identity=identity,
        key_id=lost.id,
        public_key=lost.line,
        created_at=known.created_at if known else None,
        stored=(),
        encrypted=known.encrypted if known else False,
        file=places.directory.archive_path(identity, lost.id).name,
        profile=known.profile if known else None,
        others=known.others if known else (),
        archived_at=at,
        revoked_at=known.revoked_at if known else None,
        successor=successor.id,
    )


def retiring_entries(places: KeyPlaces, ends: Mapping[PublicKey, datetime]) -> list[IndexEntry]:
    """Return the entries of retiring keys, with the ends that hold now."""
    lines = {key.line: end for key, end in ends.items()}
    return [
        replace(entry, retires_at=lines[entry.public_key])
        for entry in index_entries(places)
        if entry.public_key in lines and entry.archived_at is not None
    ]


def broken_promise(retiring: Believed, end: datetime, at: datetime) -> str:
    """Return what to tell people whose pages still carry proofs of a key that is believed for less long now."""
    when = "now" if end <= at else f"on {end:%Y-%m-%d %H:%M} UTC"
    return (
        f"key {retiring.key.id} was to be believed until {retiring.retires_at:%Y-%m-%d %H:%M} UTC; that ends {when}: "
        "pages with its proofs need new ones first"
    )


def _is_encrypted(blob: bytes) -> bool:
    try:
        return parse_secret_key(blob).encrypted
    except ParseError:
        return False


def _file_name(places: KeyPlaces, path: Path) -> str:
    return path.name if path.parent == places.directory.path else str(path)
