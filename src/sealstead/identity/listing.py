"""All keys of a directory, from its index and its files; the keyring is asked only on request.

The files decide: what the index says of a key whose file now holds another one is history. Nothing is written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sealstead.custody.files import MissingFileError
from sealstead.custody.key_index import ForeignIndexError, IndexEntry, KeyState, load_index
from sealstead.custody.os_keyring import KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import KeyUnavailableError, ParseError
from sealstead.formats.minisign_key import PublicKey, parse_public_key, parse_secret_key
from sealstead.identity.keyslots import FoundKey, KeyPlaces, archives, index_entries
from sealstead.identity.places import read_public
from sealstead.primitives import compare_digest
from sealstead.record import Record, replace

HELD = ("same", "other", "nothing")
"""What the keyring can hold for a key, as `ListedKey.keyring` says it."""


class ListedKey(Record):
    identity: str
    state: KeyState
    public: PublicKey | None
    """None: encrypted, and nothing beside it tells."""
    created_at: datetime | None
    stored: tuple[str, ...]
    """Of `disk` and `keyring`: the disk as it is, the keyring as the index remembers it. Empty: gone."""
    encrypted: bool | None
    path: Path
    profile: str | None = None
    retires_at: datetime | None = None
    archived_at: datetime | None = None
    revoked_at: datetime | None = None
    successor: str | None = None
    problem: str | None = None
    """Why its file is of no use, in one line."""
    damaged: bool = False
    """Its file holds no key that could be read: nothing can be done with it, or about it."""
    keyring: str | None = None
    """One of `HELD`, or why the keyring could not be asked; None: it was not to be."""


def list_keys(places: KeyPlaces, at: datetime, *, ask_keyring: bool = False) -> list[ListedKey]:
    """Return every key that the directory or its index knows; of one identity the active key first."""
    found = [
        _of_file(places, name, places.directory.secret_path(name)) for name in places.directory.identities()
    ]
    entries = index_entries(places)
    known = {entry.identity for entry in entries} | {key.identity for key in found}
    found += [_of_file(places, name, path) for name in sorted(known) for path in archives(places, name)]
    keys = [_with_entry(key, _entry_of(key, entries), at) for key in found]
    shown = {(key.identity, key.public.id) for key in keys if key.public is not None}
    keys += [_of_entry(places, entry, at) for entry in entries if (entry.identity, entry.key_id) not in shown]
    if ask_keyring:
        keys = [_checked(places, key) for key in keys]
    order = list(KeyState)
    return sorted(keys, key=lambda key: (key.identity != "default", key.identity, order.index(key.state)))


def index_problem(places: KeyPlaces) -> str | None:
    """Return why the index of the directory is of no use, if it is of none."""
    try:
        load_index(places.directory)
    except (ForeignIndexError, KeyUnavailableError) as exc:
        return exc.message
    return None


def describe(places: KeyPlaces, found: FoundKey, public: PublicKey | None, at: datetime) -> ListedKey:
    """Return what is known of a key that was found; the keyring is not asked."""
    listed = ListedKey(
        identity=found.identity,
        state=KeyState.ARCHIVED if found.source == "archive" else KeyState.ACTIVE,
        public=public,
        created_at=None,
        stored=("keyring",) if found.path is None else ("disk",),
        encrypted=found.file.encrypted,
        path=found.path or places.directory.secret_path(found.identity),
    )
    entry = _entry_of(listed, index_entries(places)) if found.source != "explicit" else None
    known = _with_entry(listed, entry, at)
    return known if found.path is not None else replace(known, stored=("keyring",))


def _of_file(places: KeyPlaces, identity: str, path: Path) -> ListedKey:
    archived = path != places.directory.secret_path(identity)
    listed = ListedKey(
        identity=identity,
        state=KeyState.ARCHIVED if archived else KeyState.ACTIVE,
        public=read_public(path.with_suffix(".pub")),
        created_at=None,
        stored=("disk",),
        encrypted=None,
        path=path,
    )
    try:
        blob, warning = places.directory.load_secret(path)
        file = parse_secret_key(blob)
    except (KeyUnavailableError, ParseError) as exc:
        return replace(listed, problem=exc.message, damaged=isinstance(exc, ParseError))
    return replace(listed, public=file.public or listed.public, encrypted=file.encrypted, problem=warning)


def _entry_of(key: ListedKey, entries: list[IndexEntry]) -> IndexEntry | None:
    for entry in entries:
        if entry.identity != key.identity:
            continue
        if entry.key_id == key.public.id if key.public else entry.file == key.path.name:
            return entry
    return None


def _with_entry(key: ListedKey, entry: IndexEntry | None, at: datetime) -> ListedKey:
    if entry is None:
        return key
    state = entry.state_at(at)
    if state is KeyState.ACTIVE and key.state is KeyState.ARCHIVED:
        state = KeyState.ARCHIVED  # its file says so
    return replace(
        key,
        state=state,
        public=key.public or _public_of(entry),
        created_at=entry.created_at,
        stored=("disk", *(place for place in entry.stored if place != "disk")),
        profile=entry.profile,
        retires_at=entry.retires_at,
        archived_at=entry.archived_at,
        revoked_at=entry.revoked_at,
        successor=entry.successor,
    )


def _of_entry(places: KeyPlaces, entry: IndexEntry, at: datetime) -> ListedKey:
    """A key whose file is gone, or holds another key by now."""
    path = Path(entry.file)
    if not path.is_absolute():
        path = places.directory.path / path.name
    elif path.is_file() and _of_file(places, entry.identity, path).public == _public_of(entry) is not None:
        # A key file that somebody named, elsewhere; it holds this very key.
        there = _of_file(places, entry.identity, path)
        return _with_entry(replace(there, state=entry.state_at(at)), entry, at)
    gone = ListedKey(
        identity=entry.identity,
        state=entry.state_at(at),
        public=_public_of(entry),
        created_at=None,
        stored=(),
        encrypted=entry.encrypted,
        path=path,
        # What was replaced and is known to be nowhere is history, and nothing to be mended.
        problem=None if _is_history(entry) and not entry.stored else "its file is gone",
    )
    listed = _with_entry(gone, entry, at)
    in_keyring = "keyring" in entry.stored
    return replace(
        listed,
        stored=("keyring",) if in_keyring else (),
        problem=None if in_keyring else gone.problem,
    )


def _is_history(entry: IndexEntry) -> bool:
    return entry.archived_at is not None or entry.revoked_at is not None


def _public_of(entry: IndexEntry) -> PublicKey | None:
    try:
        return parse_public_key(entry.public_key)
    except ParseError:
        return None


def _checked(places: KeyPlaces, key: ListedKey) -> ListedKey:
    """Ask the keyring what it holds for the identity; one entry serves the active key alone."""
    if key.state is not KeyState.ACTIVE or key.path.parent != places.directory.path:
        return key
    if places.keyring is None:
        return replace(key, keyring=places.keyring_reason)
    try:
        blob = places.keyring.get(key.identity)
    except (KeyringTimeoutError, KeyringRefusedError) as exc:
        return replace(key, keyring=exc.message)
    if blob is None:
        return replace(key, keyring="nothing", stored=_without(key.stored))
    if _same_key(places, key, blob):
        return replace(key, keyring="same", stored=(*_without(key.stored), "keyring"))
    return replace(key, keyring="other", stored=_without(key.stored))


def _same_key(places: KeyPlaces, key: ListedKey, blob: bytes) -> bool:
    try:
        if compare_digest(places.directory.load_secret(key.path)[0], blob):
            return True
    except (KeyUnavailableError, MissingFileError):
        pass
    try:
        public = parse_secret_key(blob).public
    except ParseError:
        return False
    return public is not None and public == key.public


def _without(stored: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(place for place in stored if place != "keyring")


def moment(at: datetime | None) -> str | None:
    """Return a moment as the outputs write it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
