"""Root keys at rest. The row is its own associated data.

A root key (of an API key: the SHA-256 of its secret) is sealed under a master key for everything that decides what the credential may do and
how long: owner, kind, scope, line of descent and every moment. Who can write the database but lacks
the key ring cannot move a root key to another row, hand it to another owner, extend, un-retire or
widen it: the seal no longer opens, and the credential is as good as unknown. Revocation destroys the
sealed root key, so clearing `revoked_at` revives nothing. Every verb that changes one of the bound
columns re-seals (`reseal`). What this does not stop: putting back a whole row from an older copy of
the database (docs/adr/0009-token-rows.md).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django.conf import settings

from sealstead.server.credentials.models import Credential


def seal_root(row: Credential, root: bytes) -> None:
    """Set `row.sealed_root` for the row as it is now; the caller saves."""
    row.sealed_root = settings.SEALSTEAD.ring.seal(root, context=_context(row))


def open_root(row: Credential) -> bytes:
    """Return the root key.

    Raises:
        SealBrokenError: none left, or a bound column was changed behind the server's back.
        UnknownMasterKeyError: the ring lacks the master key.
    """
    return settings.SEALSTEAD.ring.open(bytes(row.sealed_root or b""), context=_context(row))


def _context(row: Credential) -> tuple[str, ...]:
    # The text of this tuple is a format: what is sealed stays valid only while it stays the same. Columns that came
    # later are named and stand behind the others, and only where they are set.
    later = (
        ("handle", row.handle or ""),
        ("overdue_at", _moment(row.overdue_at)),
        ("disabled_at", _moment(row.disabled_at)),
    )
    return (
        "credentials_credential",
        "sealed_root",
        str(row.id),
        str(row.owner_id),
        row.kind,
        json.dumps(row.scope, sort_keys=True, separators=(",", ":")),
        str(row.line),
        str(row.predecessor_id or ""),
        *map(
            _moment,
            (row.line_started_at, row.created_at, row.not_before, row.expires_at, row.retires_at),
        ),
        *(part for name, value in later if value for part in (name, value)),
    )


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")
