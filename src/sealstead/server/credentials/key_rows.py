"""The read of judging an API key, and the writes of its use, as SQL written out (see `rows.py` for why).

The read takes every column that the seal binds, and the few of the owner's account that a request needs. The same columns
with the same sealed value open to the same hash, so that is remembered: whoever changes any of them, by a verb of ours or
behind the server's back, has the seal opened anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

from sealstead.errors import KeyUnavailableError, VerificationError
from sealstead.lifecycle.states import Moments
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.key_scope import KeyScope, normal_label, read_scope
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.rows import database_id
from sealstead.server.credentials.seal import open_root
from sealstead.server.credentials.states import moments_of
from sealstead.server.table_rows import row_of

_KEY_COLUMNS = (
    "id", "kind", "owner_id", "name", "handle", "scope", "line", "line_started_at", "predecessor_id", "created_at",
    "not_before", "expires_at", "retires_at", "overdue_at", "disabled_at", "revoked_at", "removed_at", "sealed_root",
)  # fmt: skip
_OWNER_COLUMNS = ("id", "username", "is_active", "is_superuser")
_FIND = """
    SELECT c.id, c.kind, c.owner_id, c.name, c.handle, c.scope, c.line, c.line_started_at, c.predecessor_id, c.created_at,
        c.not_before, c.expires_at, c.retires_at, c.overdue_at, c.disabled_at, c.revoked_at, c.removed_at, c.sealed_root,
        u.id, u.username, u.is_active, u.is_superuser
    FROM credentials_credential c JOIN accounts_user u ON u.id = c.owner_id
    WHERE c.handle = %s AND c.kind = %s
"""
"""`_KEY_COLUMNS`, then `_OWNER_COLUMNS`."""
_USED = """
    UPDATE credentials_credential
    SET last_used_at = %s, last_used_ip = %s, last_used_agent = %s, use_count = use_count + %s
    WHERE id = %s
"""
_USED_AT = """
    INSERT INTO credentials_addressuse (credential_id, address, count, last_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (credential_id, address) DO UPDATE
    SET count = credentials_addressuse.count + excluded.count, last_at = excluded.last_at
"""
_SPLIT = len(_KEY_COLUMNS)
_REMEMBERED = 8_192


@dataclass(frozen=True)
class KnownKey:
    """What a row comes to; the same for all requests until one of its columns changes."""

    credential_id: UUID
    handle: str
    name: str
    scope: KeyScope
    moments: Moments
    secret_hash: bytes | None
    """None: no secret fits; `flaw` says why, for the events."""
    flaw: str

    @property
    def rotated(self) -> bool:
        return self.moments.retires_at is not None or self.moments.overdue_at is not None

    @cached_property
    def normal_labels(self) -> frozenset[str] | None:
        return None if self.scope.labels is None else frozenset(map(normal_label, self.scope.labels))


_known: dict[tuple[Any, ...], KnownKey] = {}


def find_key(handle: str) -> tuple[KnownKey, User] | None:
    """Return the key of this id and its owner, as the database has them now."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [handle, Kind.API_KEY.value])
        values = cursor.fetchone()
    if values is None:
        return None
    facts = tuple(values[:_SPLIT])
    # The ring is part of the question: a value sealed under another one must not open from memory.
    question = (settings.SEALSTEAD.ring, connection.vendor, *facts)
    key = _known.get(question)
    if key is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        key = _known[question] = _read(facts)
    return key, row_of(User, _OWNER_COLUMNS, values[_SPLIT:], remember=True)


def _read(facts: Sequence[Any]) -> KnownKey:
    row = row_of(Credential, _KEY_COLUMNS, facts)
    secret_hash, flaw = None, ""
    if row.sealed_root is None or row.revoked_at is not None or row.removed_at is not None:
        flaw = "api-key-revoked"
    else:
        try:
            secret_hash = open_root(row)
        except (VerificationError, KeyUnavailableError) as exc:
            flaw = exc.code
    return KnownKey(
        credential_id=row.pk,
        handle=row.handle or "",
        name=row.name,
        # Before the seal has opened, the column is anybody's text.
        scope=read_scope(row.scope) if secret_hash is not None else KeyScope(roles=frozenset()),
        moments=moments_of(row),
        secret_hash=secret_hash,
        flaw=flaw,
    )


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """One accepted request, as far as the key's row is concerned."""

    credential_id: UUID
    rotated: bool
    at: datetime
    origin: Origin


def write_key_uses(uses: Sequence[KeyUse]) -> None:
    """Move "last used" of each key, and count by address the uses of those that have a successor.

    In the current transaction, so that a group of requests shares it. In the order of the ids: two groups that
    meet the same rows in another order would wait for each other.
    """
    by_key: dict[UUID, list[KeyUse]] = {}
    for use in uses:
        by_key.setdefault(use.credential_id, []).append(use)
    by_address: dict[tuple[UUID, str], list[KeyUse]] = {}
    for use in uses:
        if use.rotated and use.origin.ip:
            by_address.setdefault((use.credential_id, use.origin.ip), []).append(use)
    if not by_key:
        return
    ops = connections[DEFAULT_DB_ALIAS].ops
    moved = []
    for credential_id, group in sorted(by_key.items()):
        last = group[-1]
        moved.append(
            (
                ops.adapt_datetimefield_value(last.at),
                ops.adapt_ipaddressfield_value(last.origin.ip),
                last.origin.user_agent[:400],
                len(group),
                database_id(credential_id),
            )
        )
    counted = [
        (
            database_id(credential_id),
            ops.adapt_ipaddressfield_value(address),
            len(group),
            ops.adapt_datetimefield_value(group[-1].at),
        )
        for (credential_id, address), group in sorted(by_address.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_USED, moved)
        if counted:
            cursor.executemany(_USED_AT, counted)
