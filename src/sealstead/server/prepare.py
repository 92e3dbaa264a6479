"""Make a data directory ready for use: key ring, settings, database, schema; or say in one line why not.

Steps of a first start, each of which may be the last before a power cut, and each of which starting again completes:
  1. the directory and its parts (0700);
  2. the key ring, if there is none and no database yet that could need a lost one;
  3. the schema, one transaction a migration.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealstead.custody.files import MissingFileError
from sealstead.errors import ConflictError
from sealstead.server.config import PREFIX
from sealstead.server.config_file import read_settings
from sealstead.server.database import DatabaseUnreachableError, has_tables, no_answer
from sealstead.server.datadir import check_data_dir, last_address, make_data_dir, setup_lock
from sealstead.server.keyring import MASTER_KEYS_ENV, RING_FILE, make_ring

if TYPE_CHECKING:
    from django.db.migrations.executor import MigrationExecutor

SETTINGS_MODULE = "sealstead.server.settings"


class NewerSchemaError(ConflictError):
    """The database was written by a newer version of this program."""

    code = "newer-schema"


class SchemaBehindError(ConflictError):
    """The database has not been brought to the schema of this program."""

    code = "schema-behind"


class LostKeyRingError(MissingFileError):
    """The ring is gone, and something was sealed under it."""

    code = "lost-key-ring"


class WrongKeyRingError(LostKeyRingError):
    """There is a ring, but not the one under which this database was sealed."""

    code = "wrong-key-ring"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    data_dir: Path
    applied: list[str]
    """Names of the migrations that were missing."""


def prepare(data_dir: Path, environ: Mapping[str, str]) -> Prepared:
    """Make `data_dir` ready, start Django on it, and bring the schema up to date.

    Raises:
        SealsteadError: what is in the way, in one line.
    """
    data_dir = make_data_dir(data_dir)
    with setup_lock(data_dir):
        _ensure_ring(data_dir, environ)
        start_django(data_dir)
        applied = migrate()
    check_ring_fits()
    return Prepared(data_dir=data_dir, applied=applied)


def open_existing(data_dir: Path) -> Path:
    """Start Django on a data directory that a server has made ready, and return its real path.

    Raises:
        SchemaBehindError, NewerSchemaError: this program is not of the version that the database is at.
        SealsteadError: what else is in the way.
    """
    data_dir = check_data_dir(data_dir)
    address = last_address(data_dir)
    if address and "public_url" not in read_settings(data_dir, os.environ):
        # Links in mails should lead to the server as it was started, options of its command line included.
        os.environ[PREFIX + "PUBLIC_URL"] = address
    start_django(data_dir)
    if pending_migrations():
        raise SchemaBehindError(
            "the database is of an older version of Sealstead, or was never set up",
            hint="run: sealstead admin migrate",
        )
    return data_dir


def start_django(data_dir: Path) -> None:
    os.environ[PREFIX + "DATA_DIR"] = str(data_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS_MODULE
    os.umask(0o077)  # the database creates its own files
    import django

    django.setup()


def migrate() -> list[str]:
    """Apply what is missing of the schema and return the names of the migrations applied.

    On PostgreSQL several machines may start at once: one migrates, the others wait.

    Raises:
        NewerSchemaError: the database holds migrations that this version does not know.
    """
    from django.core.management import call_command
    from django.db import connection

    with _one_migrates():
        pending = pending_migrations()
        if pending:
            call_command("migrate", verbosity=0, interactive=False)
    connection.close()
    return pending


def check_ring_fits() -> None:
    """Return if the ring holds the master keys of the latest sealed credential and signing key, if any.

    Raises:
        WrongKeyRingError: another database's ring, or one restored from before a change of keys.
    """
    from django.conf import settings

    from sealstead.server.credentials.models import Credential
    from sealstead.server.signing.models import Certificate

    tokens = Credential.objects.filter(sealed_root__isnull=False).order_by("-created_at")
    keys = Certificate.objects.filter(sealed_key__isnull=False).order_by("-created_at")
    latest = (
        tokens.values_list("sealed_root", flat=True).first(),
        keys.values_list("sealed_key", flat=True).first(),
    )
    if any(sealed and not settings.SEALSTEAD.ring.holds_key_of(bytes(sealed)) for sealed in latest):
        raise WrongKeyRingError(
            "the key ring is not the one that this database was sealed under",
            hint="restore the key ring that belongs to this database from your backup",
        )


def pending_migrations() -> list[str]:
    """Return what is missing of the schema.

    Raises:
        NewerSchemaError: the database is ahead of this program.
        DatabaseUnreachableError: it does not answer.
    """
    executor = _executor()
    ahead = sorted(
        f"{app}.{name}"
        for app, name in executor.loader.applied_migrations
        if app in executor.loader.migrated_apps and (app, name) not in executor.loader.disk_migrations
    )
    if ahead:
        raise NewerSchemaError(
            f"the database was written by a newer version of Sealstead ({ahead[0]})",
            hint="install that version, or restore the backup you took before the upgrade",
        )
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _executor() -> MigrationExecutor:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    with answering():
        return MigrationExecutor(connection)


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Work with the database, and say in our own words when it cannot be reached or read.

    Raises:
        DatabaseUnreachableError
    """
    from django.db import DatabaseError, connection

    try:
        yield
    except DatabaseError as exc:
        # Not `from exc`: a message of the driver may quote the connection, password and all.
        if connection.vendor == "postgresql" and connection.connection is None:
            raise no_answer() from None
        raise DatabaseUnreachableError(
            f"the database cannot be opened ({type(exc).__name__})",
            hint="check database_url and the data directory",
        ) from None


def _ensure_ring(data_dir: Path, environ: Mapping[str, str]) -> None:
    values: dict[str, Any] = read_settings(data_dir, environ)
    if MASTER_KEYS_ENV in environ or values.get("master_key_file"):
        return  # somebody else's to make: a missing one is an error of its own
    ring = data_dir / RING_FILE
    if ring.is_symlink() or ring.exists():
        return
    if has_tables(values.get("database_url"), data_dir):
        raise LostKeyRingError(
            f"{ring} is missing, but the database is not empty",
            hint="restore it from your backup; a new ring would not open what the old one sealed",
        )
    make_ring(data_dir)


_MIGRATION_LOCK = 0x5EA15EAD
"""An arbitrary number, the same in every version: PostgreSQL's advisory locks are named by numbers."""


@contextlib.contextmanager
def _one_migrates() -> Iterator[None]:
    from django.db import connection

    if connection.vendor != "postgresql":
        yield  # `setup_lock` is enough: everyone shares the directory
        return
    with answering():
        connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
