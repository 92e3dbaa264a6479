"""The serial of the index: one number that grows with every committed change.

Mirrors and caches ask "what is newer than N". The one row is updated inside the transaction of the
change, so serials become visible in order and a rolled-back change leaves no gap behind.
"""

from __future__ import annotations

from django.db import connection

from sealstead.server.index.models import IndexState, Project


def bump(project: Project) -> int:
    """Give `project` the next serial. Call it inside the transaction that changes the project.

    On PostgreSQL the row lock makes changes of the index commit one after the other: call it late.
    """
    with connection.cursor() as cursor:
        # Written out: every change of the index waits for these three, and the ORM composes them anew each time.
        cursor.execute("UPDATE index_indexstate SET serial = serial + 1 WHERE id = 1")
        if not cursor.rowcount:
            IndexState.objects.get_or_create(pk=1)
            cursor.execute("UPDATE index_indexstate SET serial = serial + 1 WHERE id = 1")
        cursor.execute("SELECT serial FROM index_indexstate WHERE id = 1")
        serial = int(cursor.fetchone()[0])
        cursor.execute(
            "UPDATE index_project SET serial = %s WHERE normalized_name = %s",
            [serial, project.normalized_name],
        )
    project.serial = serial
    return serial
