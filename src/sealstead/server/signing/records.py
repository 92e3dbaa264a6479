"""What a request to sign leaves in the database, durable before its answer: the event, the use of key and certificate.

All requests that a worker answers at the same time share one commit (`group_commit.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from sealstead.server.audit.models import Event
from sealstead.server.credentials.api_keys import KeyUse, write_key_uses
from sealstead.server.group_commit import GroupCommit
from sealstead.server.signing.models import Certificate
from sealstead.server.table_rows import insert

KEPT: Final = timedelta(days=1)
"""How long an idempotency key stands for its request."""

_LAST_USED: Final = "UPDATE signing_certificate SET last_used_at = %s WHERE id = %s"
_MARK: Final = """
    INSERT INTO signing_signrequest (mark, request, expires_at) VALUES (%s, %s, %s)
    ON CONFLICT (mark) DO NOTHING
"""
_CLEAR: Final = "DELETE FROM signing_signrequest WHERE expires_at <= %s"
_SEEN: Final = "SELECT request FROM signing_signrequest WHERE mark = %s AND expires_at > %s"
_FRESH: Final = timedelta(minutes=1)
"""A moment of last use is not moved more often."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An idempotency key, and what was asked with it; both hashed (`SignRequest`)."""

    mark: str
    request: str


@dataclass(frozen=True, kw_only=True)
class SignRecord:
    """One request. A refused one is an event alone."""

    event: Event
    use: KeyUse | None = None
    certificate: Certificate | None = None
    mark: Mark | None = None


def commit_record(record: SignRecord) -> None:
    """Write it and return when it is durable.

    Raises:
        DatabaseError: nothing of it was written.
    """
    _COMMIT.commit(record)


def seen_request(mark: str, at: datetime) -> str | None:
    """Return the hash of what was asked with this idempotency key before."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [mark, _moment(at)])
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def _write(records: Sequence[SignRecord]) -> None:
    for record in records:
        insert(record.event)
    write_key_uses([record.use for record in records if record.use is not None])
    used: dict[UUID, datetime] = {}
    for record in records:
        row, at = record.certificate, record.event.at
        if row is not None and (row.last_used_at is None or at - row.last_used_at > _FRESH):
            used[row.pk] = at
    marks = [(record.mark, record.event.at) for record in records if record.mark is not None]
    if not used and not marks:
        return
    with connection.cursor() as cursor:
        # In one order in every process: two groups that met the same rows in another would wait for each other.
        for pk, at in sorted(used.items()):
            cursor.execute(_LAST_USED, [_moment(at), _database_id(pk)])
        for mark, at in sorted(marks, key=lambda one: one[0].mark):
            cursor.execute(_MARK, [mark.mark, mark.request, _moment(at + KEPT)])
        if marks and marks[0][0].mark.startswith("00"):
            # Now and then, by chance: nothing depends on it.
            cursor.execute(_CLEAR, [_moment(marks[0][1])])


def _moment(value: datetime) -> Any:  # noqa: ANN401 - as the driver takes it
    return connection.ops.adapt_datetimefield_value(value)


def _database_id(value: UUID) -> Any:  # noqa: ANN401 - as above
    return Certificate._meta.pk.get_db_prep_value(value, connection)  # noqa: SLF001 - Django's documented name


_COMMIT: Final = GroupCommit(_write)
