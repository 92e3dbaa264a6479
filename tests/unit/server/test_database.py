from __future__ import annotations

import sys
import traceback
from pathlib import Path

import pytest
from django.db import connection

from sealstead.secret import Secret
from sealstead.server.database import (
    DatabaseUnreachableError,
    InvalidDatabaseUrlError,
    database_settings,
    has_tables,
)


@pytest.mark.django_db(transaction=True)
def test_commits_wait_for_the_disk() -> None:
    """Asked of the real connection: the setting is per connection, and silently weaker if it is lost."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            found = {
                name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("synchronous", "foreign_keys", "journal_mode")
            }
        # Memory databases of a test run have no journal to write ahead of.
        assert found | {"journal_mode": "wal"} == {
            "synchronous": 2,
            "foreign_keys": 1,
            "journal_mode": "wal",
        }
        assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
            assert cursor.fetchone()[0] in {"default", "command line"}  # not weakened by us


def test_an_address_of_postgresql_is_taken_apart() -> None:
    found = database_settings(
        Secret("postgresql://me%40x:p%2Fw@[::1]:5433/packages?sslmode=require"), Path("/x")
    )
    assert found["USER"] == "me@x"
    assert found["PASSWORD"] == "p/w"
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("::1", "5433", "packages")
    assert found["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/n", "postgresql://u:hunter2@h", "postgresql://u:hunter2@h:port/n", "hunter2"]
)
def test_another_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrlError) as caught:
        database_settings(Secret(url), Path("/x"))
    assert caught.value.code == "invalid-database-url"
    assert "hunter2" not in "".join(traceback.format_exception(caught.value.with_traceback(None)))


def test_a_driver_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for ask in (database_settings, has_tables):
        with pytest.raises(DatabaseUnreachableError, match="driver is not installed") as caught:
            ask(Secret("postgresql://h/n"), Path("/x"))
        assert caught.value.hint == "pip install 'sealstead[postgres]'"


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachableError) as caught:
        has_tables(Secret("postgresql://u:hunter2@127.0.0.1:1/n"), Path("/x"))
    assert caught.value.code == "database-unreachable"
    assert "hunter2" not in "".join(traceback.format_exception(caught.value.with_traceback(None)))


def test_an_empty_file_is_no_database_yet(tmp_path: Path) -> None:
    assert not has_tables(None, tmp_path)
    (tmp_path / "db.sqlite3").touch()
    assert not has_tables(None, tmp_path)
    (tmp_path / "db.sqlite3").write_bytes(b"SQLite format 3\0")
    assert has_tables(None, tmp_path)
