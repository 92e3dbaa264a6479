"""The database: SQLite in the data directory, or PostgreSQL.

SQLite: WAL, so that readers never wait for a writer; IMMEDIATE, so that two writers queue at the start instead of
one failing at its end; `synchronous=FULL`, so that a commit answered to a client survives a power cut.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sealstead.errors import InputError, UpstreamError
from sealstead.secret import Secret

SQLITE_FILE = "db.sqlite3"
_BUSY_SECONDS = 20
_SQLITE_INIT = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"


class InvalidDatabaseUrlError(InputError):
    """The address of the database cannot be read."""

    code = "invalid-database-url"


class DatabaseUnreachableError(UpstreamError):
    """The database does not answer, or its driver is not installed."""

    code = "database-unreachable"


def database_settings(url: Secret[str] | None, data_dir: Path) -> dict[str, Any]:
    """Return Django's description of the database.

    Connections persist for the life of a thread (`CONN_MAX_AGE` None) and are checked before use after a failure.

    Raises:
        InvalidDatabaseUrlError: not a `postgresql://` address with a database name.
        DatabaseUnreachableError: the driver of PostgreSQL is not installed.
    """
    if url is None:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(data_dir / SQLITE_FILE),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": _BUSY_SECONDS,
                "init_command": _SQLITE_INIT,
            },
        }
    hint = "write postgresql://user:password@host:5432/name"
    try:
        parts = urlsplit(url.reveal())
        port = parts.port
    except ValueError:
        # `from None`: the text of the cause may quote the address, which holds a password.
        raise InvalidDatabaseUrlError("database_url cannot be read", hint=hint) from None
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not name:
        raise InvalidDatabaseUrlError("database_url is not an address of PostgreSQL", hint=hint)
    need_driver()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def has_tables(url: Secret[str] | None, data_dir: Path) -> bool:
    """Tell whether the database has been set up, without starting Django.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer, or its driver is not installed.
    """
    if url is None:
        file = data_dir / SQLITE_FILE
        return file.exists() and file.stat().st_size > 0
    need_driver()
    import psycopg

    try:
        with psycopg.connect(url.reveal(), connect_timeout=10) as connection:
            row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    except psycopg.Error:
        # `from None`: the driver's message may quote the address.
        raise no_answer() from None
    return bool(row and row[0])


def no_answer() -> DatabaseUnreachableError:
    """What is said of a PostgreSQL that cannot be reached, wherever that is noticed first."""
    return DatabaseUnreachableError(
        "the database does not answer", hint="check database_url, and that the database exists"
    )


def need_driver() -> None:
    """Return if the driver of PostgreSQL can be used.

    Raises:
        DatabaseUnreachableError: it, or the library below it, is not installed.
    """
    try:
        import psycopg  # noqa: F401 - only whether it can be
    except ImportError as exc:
        raise DatabaseUnreachableError(
            "database_url names PostgreSQL, but its driver is not installed",
            hint="pip install 'sealstead[postgres]'",
        ) from exc
