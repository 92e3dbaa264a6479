"""Entries of the keyring whose last write nobody knows the outcome of: to be settled when it answers again.

Kept in the key directory as digests; the content itself is in the key file of the identity. A file that cannot be
read counts as none: an entry left with an old key is found by `key-list --check`, and harms nobody.
"""

from __future__ import annotations

import json

from sealstead.custody import files
from sealstead.custody.journal_file import put_in_place, remove, stage
from sealstead.custody.key_dir import DEBTS_FILE, KeyDir
from sealstead.record import Record

ABSENT = ""
"""In the place of a digest: there is no entry."""
_MAX_BYTES = 1 << 20


class Debt(Record):
    identity: str
    before: tuple[str, ...]
    """Digests of what the entry may hold: only from these is it moved on."""
    after: str
    """What it should hold."""


def load_debts(directory: KeyDir) -> dict[str, Debt]:
    try:
        content, _ = files.read_secret(directory.path / DEBTS_FILE, limit=_MAX_BYTES)
        rows = json.loads(content)["entries"]
        return {
            str(identity): Debt(
                identity=str(identity), before=tuple(map(str, row["before"])), after=str(row["after"])
            )
            for identity, row in rows.items()
        }
    except (
        files.MissingFileError,
        files.UnsafeFileError,
        files.UnreadableFileError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ):
        return {}


def save_debts(directory: KeyDir, debts: dict[str, Debt]) -> None:
    """Write them, or remove the file when there are none. The caller holds the directory's lock."""
    path = directory.path / DEBTS_FILE
    staged = directory.staged_path(path)
    remove(staged)
    if not debts:
        remove(path)
        return
    rows = {debt.identity: {"before": list(debt.before), "after": debt.after} for debt in debts.values()}
    stage(staged, json.dumps({"entries": rows}, indent=1).encode() + b"\n", mode=files.OWNER_FILE)
    put_in_place(staged, path)
