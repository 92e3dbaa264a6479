"""The read path's own database connection: one per thread, kept open, one prepared statement per question.

Django opens and closes its connections around each request of its own; the fast read path (`server/edge.py`) is
not such a request and asks one small question per answer, so a connection of its own is what makes it fast.

Rules:
  * every question goes to the database: what another worker or machine committed is seen by the next request;
  * the only thing ever written here is `Page`, which is derived from the other tables. That is why these
    connections may skip the sync of a commit (SQLite `synchronous=NORMAL`) and give up on a busy database.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

BUSY_TIMEOUT_MS: Final = 20
"""A reader waits no longer than this for a writer; only the storing of a page ever does."""


class Reader:
    """Asks questions over this thread's connection. `%s` marks parameters; answers are plain driver values."""

    def __init__(self) -> None:
        self._wrapper: BaseDatabaseWrapper = connection.copy("reader")
        self._sqlite = self._wrapper.vendor == "sqlite"
        if not self._sqlite:
            # Parameters apart from the text: only then can the server keep a prepared statement.
            self._wrapper.settings_dict["OPTIONS"]["server_side_binding"] = True
        self._raw: Any = None

    @property
    def is_local(self) -> bool:
        """Whether a question is answered within this process."""
        return self._sqlite

    def one(self, sql: str, parameters: Sequence[object] = ()) -> Any:  # noqa: ANN401 - a row of the driver
        """Return the first row, or None.

        Raises:
            django.db.DatabaseError: the database cannot be asked, also after connecting anew.
        """
        return self._execute(sql, parameters).fetchone()

    def write(self, sql: str, parameters: Sequence[object]) -> bool:
        """Execute and commit, and return whether that was possible without waiting."""
        try:
            self._execute(sql, parameters)
        except DatabaseError:
            return False
        return True

    def close(self) -> None:
        if self._sqlite and self._raw is not None:
            # Django leaves a connection to a database in memory open, for its content lives no longer. This
            # one is a second connection to it.
            self._raw.close()
        self._raw = None
        self._wrapper.close()

    def _execute(self, sql: str, parameters: Sequence[object]) -> Any:  # noqa: ANN401 - a cursor of the driver
        if self._sqlite:
            sql = sql.replace("%s", "?")
        try:
            with self._wrapper.wrap_database_errors:
                return self._connected().execute(sql, parameters)
        except (InterfaceError, OperationalError):
            # The server went away, or was restarted: once more on a new connection. A busy SQLite is no
            # reason to do that.
            if self._sqlite:
                raise
            self.close()
            with self._wrapper.wrap_database_errors:
                return self._connected().execute(sql, parameters)

    def _connected(self) -> Any:  # noqa: ANN401 - a connection of the driver
        if self._raw is None:
            self._wrapper.ensure_connection()
            raw: Any = self._wrapper.connection
            if self._sqlite:
                raw.execute("PRAGMA synchronous=NORMAL")
                raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            else:
                raw.prepare_threshold = 0
            self._raw = raw
        return self._raw


_local = threading.local()


def reader() -> Reader:
    """Return this thread's reader."""
    try:
        found: Reader = _local.reader
    except AttributeError:
        found = _local.reader = Reader()
    return found


def forget_reader() -> None:
    """Close this thread's reader. Tests that throw their database away call it."""
    if hasattr(_local, "reader"):
        _local.reader.close()
        del _local.reader
