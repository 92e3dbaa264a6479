"""The serial of the index: one number that grows with every committed change.

Mirrors and caches ask "what is newer than N". The one row is updated inside the transaction of the
change, so serials become visible in order and a rolled-back change leaves no gap behind.
"""

from __future__ import annotations

from django.db.models import F

from sealstead.server.index.models import IndexState, Project


def bump(project: Project) -> int:
    """Give `project` the next serial. Call it inside the transaction that changes the project.

    On PostgreSQL the row lock makes changes of the index commit one after the other: call it late.
    """
    if not IndexState.objects.filter(pk=1).update(serial=F("serial") + 1):
        IndexState.objects.get_or_create(pk=1)
        IndexState.objects.filter(pk=1).update(serial=F("serial") + 1)
    serial = IndexState.objects.values_list("serial", flat=True).get(pk=1)
    Project.objects.filter(pk=project.pk).update(serial=serial)
    project.serial = serial
    return serial
