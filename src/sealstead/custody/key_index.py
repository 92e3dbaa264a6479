"""The index of a key directory: `keys.json`, which lets all keys be listed without asking the keyring.

It holds no secret, and nothing depends on it for safety: a key that is missing here is found by its file. States are
derived from moments (DESIGN §2), never stored. A `keys.json` that is not ours is left alone.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sealstead.custody import files
from sealstead.custody.key_dir import KeyDir, check_identity
from sealstead.errors import ConflictError, InputError
from sealstead.record import Record

FILE_NAME = "keys.json"
_FORMAT = "sealstead-key-index"
_VERSION = 1
_MAX_BYTES = 4 << 20


class ForeignIndexError(ConflictError):
    """`keys.json` is there and not ours to write."""

    code = "foreign-index"


class KeyState(enum.StrEnum):
    ACTIVE = "active"
    RETIRING = "retiring"
    """Replaced, and still believed until its overlap ends."""
    ARCHIVED = "archived"
    REVOKED = "revoked"


class IndexEntry(Record):
    identity: str
    key_id: str
    public_key: str
    """The line, as a profile holds it."""
    created_at: datetime | None
    """None: nobody knows; the key came from elsewhere."""
    stored: tuple[str, ...]
    """Of `disk`, `keyring`."""
    encrypted: bool
    file: str
    """The name of its file in the key directory."""
    profile: str | None = None
    """The profile that named it last."""
    retires_at: datetime | None = None
    archived_at: datetime | None = None
    revoked_at: datetime | None = None
    successor: str | None = None
    """The id of the key that replaced it."""
    others: tuple[str, ...] = ()
    """Other profiles that were seen to name it."""

    def state_at(self, at: datetime) -> KeyState:
        if self.revoked_at is not None and at >= self.revoked_at:
            return KeyState.REVOKED
        if self.retires_at is not None:
            return KeyState.RETIRING if at < self.retires_at else KeyState.ARCHIVED
        return KeyState.ARCHIVED if self.archived_at is not None else KeyState.ACTIVE


def load_index(directory: KeyDir) -> list[IndexEntry]:
    """Return the entries; none when there is no index.

    Raises:
        ForeignIndexError: what is there is no index of ours.
        UnsafeFileError, UnreadableFileError: it cannot be read.
    """
    path = directory.path / FILE_NAME
    try:
        content, _ = files.read_secret(path, limit=_MAX_BYTES)
    except files.MissingFileError:
        return []
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ForeignIndexError(f"{path} was written by another program", hint="it is left as it is")
        return [entry_of(row) for row in document["keys"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError):
        raise ForeignIndexError(
            f"{path} is not an index of keys", hint="move it away; it is made anew"
        ) from None


def save_index(directory: KeyDir, entries: Iterable[IndexEntry]) -> None:
    """Write the index (0600), whole or not at all. The caller holds the directory's lock."""
    document = {"format": _FORMAT, "version": _VERSION, "keys": [row_of(entry) for entry in entries]}
    content = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    directory.store_secret(directory.path / FILE_NAME, content, replace=True)


def upsert(entries: Sequence[IndexEntry], entry: IndexEntry) -> list[IndexEntry]:
    """Return the entries with `entry` in the place of the one with its identity and key id, else at the end."""
    kept = [entry if _same(old, entry) else old for old in entries]
    return kept if entry in kept else [*kept, entry]


def record(directory: KeyDir, *entries: IndexEntry) -> None:
    """Load, upsert and save. The caller holds the directory's lock.

    Raises:
        ForeignIndexError: as `load_index`; nothing is written.
        KeyDirError: it cannot be written.
    """
    known = load_index(directory)
    for entry in entries:
        known = upsert(known, entry)
    save_index(directory, known)


def _same(left: IndexEntry, right: IndexEntry) -> bool:
    return (left.identity, left.key_id) == (right.identity, right.key_id)


_MOMENTS = ("created_at", "retires_at", "archived_at", "revoked_at")


def row_of(entry: IndexEntry) -> dict[str, Any]:
    row: dict[str, Any] = dict(vars(entry), stored=list(entry.stored), others=list(entry.others))
    return row | {name: _text(row[name]) for name in _MOMENTS}


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def entry_of(row: dict[str, Any]) -> IndexEntry:
    moments = {name: _moment(row.get(name)) for name in _MOMENTS}
    return IndexEntry(
        identity=check_identity(row["identity"]),
        key_id=str(row["key_id"]),
        public_key=str(row["public_key"]),
        stored=tuple(str(place) for place in row["stored"]),
        encrypted=bool(row["encrypted"]),
        file=str(row["file"]),
        profile=_optional(row.get("profile")),
        successor=_optional(row.get("successor")),
        others=tuple(str(name) for name in row.get("others", ())),
        created_at=moments["created_at"],
        retires_at=moments["retires_at"],
        archived_at=moments["archived_at"],
        revoked_at=moments["revoked_at"],
    )


def _moment(text: object) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError("not a moment")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _optional(text: object) -> str | None:
    if text is not None and not isinstance(text, str):
        raise TypeError("not text")
    return text
