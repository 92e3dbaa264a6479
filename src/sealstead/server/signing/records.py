"""What a request to sign leaves in the database, durable before its answer: the event, the use of key and certificate.

All requests that a worker answers at the same time share one commit (`group_commit.py`).

A request that names itself (`Idempotency-Key`) leaves its answer too, in the same commit. Of two that come under one name at
the same instant, to whichever workers, the database lets one write; the other gives the answer of the first, or is
refused if it asked for something else. What it has signed meanwhile is dropped unseen.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from sealstead.server.audit.models import Event
from sealstead.server.credentials.api_keys import KeyUse, write_key_uses
from sealstead.server.group_commit import GroupCommit, Tell
from sealstead.server.signing.models import Certificate
from sealstead.server.table_rows import insert_all

KEPT: Final = timedelta(hours=1)
"""How long an idempotency key stands for its request. Clients repeat within minutes; each answer takes room until then."""

_LAST_USED: Final = "UPDATE signing_certificate SET last_used_at = %s WHERE id = %s"
_CLAIM: Final = """
    INSERT INTO signing_signrequest (mark, request, answer, expires_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (mark) DO UPDATE
        SET request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at
        WHERE signing_signrequest.expires_at <= %s
    RETURNING mark
"""
_SEEN: Final = "SELECT request, answer FROM signing_signrequest WHERE mark = %s AND expires_at > %s"
_CLEAR: Final = """
    DELETE FROM signing_signrequest
    WHERE mark IN (SELECT mark FROM signing_signrequest WHERE expires_at <= %s LIMIT 500)
"""
_QUICK: Final = 1
"""The level of compression: the certificates repeat in every signature, which the quickest finds too."""
_FRESH: Final = timedelta(minutes=1)
"""A moment of last use is not moved more often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was asked before under an idempotency key, and what was answered."""

    request: str
    answer: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Mark:
    """An idempotency key, and what is asked with it, both hashed (`SignRequest`); then what is answered."""

    mark: str
    request: str
    answer: bytes = b""
    """`pack` of the answer; what is stored."""
    seen: Seen | None = None
    """Set by `commit_record` when another request came first: nothing of this answer may leave."""

    @property
    def clashes(self) -> bool:
        """Whether the first one under this key asked for something else."""
        return self.seen is not None and self.seen.request != self.request


@dataclass(frozen=True, kw_only=True)
class SignRecord:
    """One request. A refused one is an event alone."""

    event: Event
    use: KeyUse | None = None
    certificate: Certificate | None = None
    mark: Mark | None = None


def commit_record(record: SignRecord) -> None:
    """Write it and return when it is durable; `record.mark.seen` then tells whether another one came first.

    Raises:
        DatabaseError: nothing of it was written.
    """
    _COMMIT.commit(record)


def commit_record_later(record: SignRecord, tell: Tell) -> None:
    """Have it written and return at once; `tell` hears, between two commits, that it is durable or that nothing was written.

    `record.mark.seen` then tells as after `commit_record`.
    """
    _COMMIT.commit_later(record, tell)


def find_seen(mark: str, at: datetime) -> Seen | None:
    """Return what was asked and answered with this idempotency key before."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [mark, _moment(at)])
        row = cursor.fetchone()
    return None if row is None else Seen(request=row[0], answer=json.loads(zlib.decompress(bytes(row[1]))))


def pack(answer: bytes) -> bytes:
    """Return the answer, JSON, as it is stored."""
    return zlib.compress(answer, _QUICK)


def clear_expired(at: datetime) -> None:
    """Forget answers whose time is over, a few at a time: requests want to write in between."""
    gone = 1
    while gone > 0:
        with connection.cursor() as cursor:
            cursor.execute(_CLEAR, [_moment(at)])
            gone = cursor.rowcount


def _write(records: Sequence[SignRecord]) -> None:
    # In one order in every process, here and below: two groups that met the same rows in another would wait for each other.
    for record in sorted((one for one in records if one.mark is not None), key=_by_mark):
        _claim(record)
    records = [one for one in records if one.mark is None or not one.mark.clashes]
    insert_all([record.event for record in records])
    write_key_uses([record.use for record in records if record.use is not None])
    used: dict[UUID, datetime] = {}
    for record in records:
        row, at = record.certificate, record.event.at
        if row is not None and (row.last_used_at is None or at - row.last_used_at > _FRESH):
            used[row.pk] = at
    if not used:
        return
    with connection.cursor() as cursor:
        cursor.executemany(_LAST_USED, [(_moment(at), _database_id(pk)) for pk, at in sorted(used.items())])


def _claim(record: SignRecord) -> None:
    mark, at, details = record.mark, record.event.at, record.event.details
    assert mark is not None  # noqa: S101 - as chosen by the caller; for the type checker
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [mark.mark, mark.request, mark.answer, _moment(at + KEPT), _moment(at)])
        mark.seen = None if cursor.fetchone() is not None else find_seen(mark.mark, at)
    details.pop("repeated", None)
    if mark.seen is not None:
        details["repeated"] = True


def _by_mark(record: SignRecord) -> str:
    return record.mark.mark if record.mark is not None else ""


def _moment(value: datetime) -> Any:  # noqa: ANN401 - as the driver takes it
    return connection.ops.adapt_datetimefield_value(value)


def _database_id(value: UUID) -> Any:  # noqa: ANN401 - as above
    return Certificate._meta.pk.get_db_prep_value(value, connection)  # noqa: SLF001 - Django's documented name


_COMMIT: Final = GroupCommit(_write)
