"""Note that a credential was used: moment, address, program, count; a commit of its own.

The commit does not wait for the disk. Whatever is written for the upload afterwards does, and carries this along
(SQLite: the same write-ahead log; PostgreSQL: the same log stream). So an accepted upload never stands beside a
"last used" that is missing; only a refused one's may be lost in a power cut, and no upload pays for two waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from sealstead.server.audit.record import Origin
from sealstead.server.credentials.rows import write_use


def mark_used(credential_id: UUID, *, at: datetime, origin: Origin) -> None:
    """Move "last used". Call it outside a transaction, so that nothing later undoes it."""
    with without_waiting():
        write_use(credential_id, at=at, origin=origin)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Open a transaction whose commit returns before the disk has it."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        # A setting of this thread's connection alone; SQLite takes no change of it within a transaction.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                with transaction.atomic(durable=True):
                    yield
            finally:
                cursor.execute("PRAGMA synchronous=FULL")
        return
    with transaction.atomic(durable=True):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        yield
