"""What is written and read here is what the ORM would have written and read."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, models, transaction

from sealstead.server.audit.models import Event
from sealstead.server.index.models import Project
from sealstead.server.table_rows import insert, insert_all, kept, new_row, select

pytestmark = [pytest.mark.django_db, pytest.mark.database]

AT = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


def event() -> Event:
    return Event(
        tag="test:made",
        at=AT,
        actor_id=UUID(int=7),
        ip="2001:db8::1",
        details={"name": "ä", "list": [1, None, {"deep": True}]},
    )


def project(name: str) -> Project:
    return Project(name=name, normalized_name=name, confusable_name=name, created_at=AT)


def values(row: models.Model) -> dict[str, object]:
    fresh = type(row)._default_manager.get(pk=row.pk)
    return {field.attname: getattr(fresh, field.attname) for field in fresh._meta.concrete_fields}


def test_a_row_is_as_the_orm_writes_it() -> None:
    mine, theirs = insert(event()), event()
    theirs.save(force_insert=True)
    assert mine.pk is not None
    assert mine.pk != theirs.pk
    assert values(mine) | {"id": theirs.pk} == values(theirs)


def test_many_rows_at_once_are_as_the_orm_writes_them() -> None:
    insert_all([])
    plain = {"at": AT, "tag": "test:made", "details": {}}
    insert_all([event(), new_row(Event, **plain, ip=None), new_row(Event, **plain, accepted=False, code="x")])
    theirs = [event(), Event(at=AT, tag="test:made"), Event(at=AT, tag="test:made", accepted=False, code="x")]
    for row in theirs:
        row.save(force_insert=True)
    written = list(Event.objects.order_by("id"))
    assert [values(row) | {"id": 0} for row in written[:3]] == [
        values(row) | {"id": 0} for row in written[3:]
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all([event(), new_row(Event, **plain | {"at": None})])
    assert Event.objects.count() == 6


def test_what_is_kept_with_a_row_ends_with_its_values() -> None:
    insert(project("kept"))
    by_name = "SELECT * FROM index_project WHERE name = %s"
    asked = []

    def summary(row: Project) -> str:
        asked.append(row.name)
        return row.summary

    def read() -> str:
        return kept(select(Project, by_name, ["kept"], remember=True)[0], summary)

    assert [read(), read()] == ["", ""]
    Project.objects.update(summary="changed")
    assert [read(), read()] == ["changed", "changed"]
    assert len(asked) == 2
    assert kept(select(Project, by_name, ["kept"])[0], summary) == "changed"


def test_a_key_of_ours_is_kept_and_the_row_can_be_saved_again() -> None:
    row = project("inserted")
    assert insert(row) is row
    row.summary = "later"
    row.save()
    assert Project.objects.get(pk=row.pk).summary == "later"


def test_a_constraint_holds() -> None:
    insert(project("twice"))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(project("twice"))
    assert Project.objects.filter(name="twice").count() == 1


def test_rows_are_read_as_the_orm_reads_them() -> None:
    first, second = insert(event()), insert(event())
    rows = select(
        Event,
        "SELECT *, 1 + 1 AS two FROM audit_event WHERE id IN (%s, %s) ORDER BY id",
        [first.pk, second.pk],
    )
    assert [row.pk for row in rows] == [first.pk, second.pk]
    assert {name: getattr(rows[0], name) for name in values(first)} == values(first)
    assert getattr(rows[0], "two", None) == 2
    assert not rows[0].get_deferred_fields()
    rows[0].tag = "test:changed"
    rows[0].save()
    assert Event.objects.get(pk=first.pk).tag == "test:changed"


def test_a_column_left_out_is_read_when_it_is_asked_for() -> None:
    row = insert(project("partly"))
    (found,) = select(Project, "SELECT created_at, id FROM index_project WHERE name = %s", ["partly"])
    assert "name" in found.get_deferred_fields()
    assert (found.pk, found.created_at, found.name) == (row.pk, AT, "partly")


def test_no_row_is_an_empty_list() -> None:
    assert select(Project, "SELECT * FROM index_project WHERE name = %s", ["nobody"]) == []


def test_a_remembered_row_is_as_the_database_has_it_now_and_nobody_else_holds_it() -> None:
    insert(project("known"))
    statement, name = "SELECT * FROM index_project WHERE normalized_name = %s", ["known"]
    (first,) = select(Project, statement, name, remember=True)
    assert {field: getattr(first, field) for field in values(first)} == values(first)
    first.summary = "not saved"
    (second,) = select(Project, statement, name, remember=True)
    assert second.summary == ""
    second.summary = "saved"
    second.save()
    (third,) = select(Project, statement, name, remember=True)
    assert third.summary == "saved"
    assert first.summary == "not saved"


def test_a_column_left_out_of_a_remembered_row_is_asked_for_by_each_anew() -> None:
    row = insert(project("partly-known"))
    statement, name = "SELECT id FROM index_project WHERE name = %s", ["partly-known"]
    (first,) = select(Project, statement, name, remember=True)
    assert first.summary == ""
    Project.objects.filter(pk=row.pk).update(summary="later")
    (second,) = select(Project, statement, name, remember=True)
    assert second.summary == "later"
