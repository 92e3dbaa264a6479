"""Revocations beside the keys: `minisign[.<identity>].<key id>.revoked` holds the signed statement itself.

The profile has it too, but a key is also used away from its profile; and the index, which remembers it, can be lost.
A file that does not verify counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sealstead.custody.files import read_secret
from sealstead.custody.key_index import IndexEntry
from sealstead.errors import KeyUnavailableError, ParseError, VerificationError
from sealstead.formats.statement import MAX_CHARS, Revocation, verify_statement
from sealstead.record import replace


def with_revocations(entries: Sequence[IndexEntry], stated: Iterable[tuple[str, Path]]) -> list[IndexEntry]:
    """Return the entries, with the moments of the revocations in the files `stated`, and one for each key without."""
    known = list(entries)
    for identity, path in stated:
        revocation = _read(path)
        if revocation is None:
            continue
        line = revocation.key.line
        if not any((entry.identity, entry.public_key) == (identity, line) for entry in known):
            known.append(
                IndexEntry(
                    identity=identity,
                    key_id=revocation.key.id,
                    public_key=line,
                    created_at=None,
                    stored=(),
                    encrypted=False,
                    file="",
                )
            )
        known = [
            replace(entry, revoked_at=min(entry.revoked_at or revocation.revoked_at, revocation.revoked_at))
            if entry.public_key == line
            else entry
            for entry in known
        ]
    return known


def _read(path: Path) -> Revocation | None:
    try:
        text = read_secret(path, limit=MAX_CHARS + 1)[0].decode()
        statement = verify_statement(text)
    except (KeyUnavailableError, ParseError, VerificationError, UnicodeDecodeError):
        return None
    return statement if isinstance(statement, Revocation) and f".{statement.key.id}." in path.name else None
