"""The reads of an upload, as SQL written out.

The ORM composes a statement anew each time, which takes ten times as long as SQLite needs to answer it; these few stand
between a publisher and the answer. Every statement is a constant; values are parameters. A test compares each with
what the ORM would have asked.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.db import connection

from sealstead.server.index.models import File, IndexState, Project, Release, RoleName
from sealstead.server.table_rows import select

_PROJECT = """
    SELECT p.*, r.role AS role_of_user FROM index_project p
    LEFT JOIN index_role r ON r.project_id = p.id AND r.user_id = %s
    WHERE p.normalized_name = %s
"""
_PROJECT_LOCKED = """
    SELECT p.*, r.role AS role_of_user FROM index_project p
    LEFT JOIN index_role r ON r.project_id = p.id AND r.user_id = %s
    WHERE p.normalized_name = %s FOR UPDATE OF p
"""
_RELEASE = """
    SELECT * FROM index_release
    WHERE project_id = %s AND canonical_version = %s AND deleted_at IS NULL
"""
_SAME_FILE = """
    SELECT id, filename, blake2b, sha256, deleted_at FROM index_file WHERE filename = %s
    UNION ALL
    SELECT id, filename, blake2b, sha256, deleted_at FROM index_file
    WHERE blake2b = %s AND deleted_at IS NULL AND filename <> %s
"""
_PROJECT_BYTES = """
    SELECT COALESCE(SUM(f.size), 0) FROM index_release r JOIN index_file f ON f.release_id = r.id
    WHERE r.project_id = %s AND f.deleted_at IS NULL
"""
_STATE = "SELECT * FROM index_indexstate WHERE id = 1"


def find_project(
    normalized_name: str, user_id: UUID, *, lock: bool
) -> tuple[Project | None, RoleName | None]:
    """The project, a deleted one included, and the user's role on it. `lock` holds it until the transaction ends."""
    # SQLite locks the whole database when the transaction begins, and has no such clause.
    locked = lock and connection.features.has_select_for_update
    rows = select(Project, _PROJECT_LOCKED if locked else _PROJECT, [_database_id(user_id), normalized_name])
    project = rows[0] if rows else None
    role = cast("str | None", getattr(project, "role_of_user", None))
    return project, None if role is None else RoleName(role)


def find_release(project: Project, canonical_version: str) -> Release | None:
    rows = select(Release, _RELEASE, [_database_id(project.pk), canonical_version])
    return rows[0] if rows else None


def find_same_files(filename: str, blake2b: str) -> list[File]:
    """The file of this name, a deleted one included, and the files of this content under other names."""
    return select(File, _SAME_FILE, [filename, blake2b, filename])


def project_bytes(project: Project) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT_BYTES, [_database_id(project.pk)])
        return int(cursor.fetchone()[0])


def index_state() -> IndexState:
    rows = select(IndexState, _STATE, [])
    return rows[0] if rows else IndexState()


def _database_id(value: UUID) -> str | UUID:
    """An id as this database holds it: PostgreSQL has a type for it, SQLite 32 hex digits."""
    return cast("str | UUID", Project._meta.pk.get_db_prep_value(value, connection))  # noqa: SLF001 - Django's documented name
