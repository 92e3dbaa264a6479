"""Connections of threads as a server has them. Import it inside tests that ask for `django_db(transaction=True)`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection


@contextmanager
def own_connections(directory: Path) -> Iterator[None]:
    """Let threads that begin now use the database with locks as they really are.

    The tests' SQLite lives in memory, where whoever comes second fails instead of waiting: they get a copy of it in a
    file, which this thread does not see. PostgreSQL is the same for all.
    """
    if connection.vendor != "sqlite":
        yield
        return
    file = directory / "db.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(file)) as copy:
        connection.connection.backup(copy)
        # As every connection asks for: of two that come first at once, SQLite refuses one instead of letting it wait. And
        # this one stays, so that none of theirs is the last, which tidies the log away while another begins.
        copy.execute("PRAGMA journal_mode=WAL").close()
        before = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = str(file)
        try:
            yield
        finally:
            connection.settings_dict["NAME"] = before
