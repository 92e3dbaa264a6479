"""The written-out reads say the same as the ORM would."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.rows import NOW, make_project, make_release, make_user

from sealstead.server.index import upload_rows
from sealstead.server.index.models import File, IndexState, Project, Release, RoleName

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_project_comes_with_the_user_s_role() -> None:
    owner, maintainer, stranger = make_user(), make_user(), make_user()
    project = make_project("example", owner=owner, maintainers=(maintainer,))
    Project.objects.update(max_file_bytes=5, deleted_at=NOW)
    wanted = Project.objects.values().get()
    for user, role in ((owner, RoleName.OWNER), (maintainer, RoleName.MAINTAINER), (stranger, None)):
        found, found_role = upload_rows.find_project("example", user.pk, lock=False)
        assert (found, found_role) == (project, role)
        assert {name: getattr(found, name) for name in wanted} == wanted
    assert upload_rows.find_project("other", owner.pk, lock=False) == (None, None)


def test_a_locked_project_is_locked_where_the_database_can() -> None:
    owner = make_user()
    project = make_project("example", owner=owner)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert upload_rows.find_project("example", owner.pk, lock=True) == (project, RoleName.OWNER)
    asked = any("FOR UPDATE OF p" in query["sql"] for query in queries)
    assert asked == connection.features.has_select_for_update


def test_a_release_that_is_there() -> None:
    project = make_project()
    release = make_release(project, "1.0", files=0)
    other = make_release(make_project(), "1.0", files=0)
    assert upload_rows.find_release(project, "1.0") == release != other
    assert upload_rows.find_release(project, "2.0") is None
    Release.objects.filter(pk=release.pk).update(metadata={"summary": "x"})
    found = upload_rows.find_release(project, "1.0")
    assert found is not None
    assert (found.metadata, found.created_at) == ({"summary": "x"}, NOW)
    Release.objects.filter(pk=release.pk).update(deleted_at=NOW)
    assert upload_rows.find_release(project, "1.0") is None


def test_files_of_the_name_or_the_content() -> None:
    make_release(make_project(), files=3)
    same, other, deleted = File.objects.order_by("id")
    File.objects.filter(pk__in=[same.pk, other.pk, deleted.pk]).update(blake2b="a" * 64)
    File.objects.filter(pk=deleted.pk).update(deleted_at=NOW)
    found = upload_rows.find_same_files(same.filename, "a" * 64)
    assert found == [same, other]
    assert upload_rows.find_same_files(deleted.filename, "b" * 64) == [deleted]
    assert upload_rows.find_same_files(deleted.filename, "b" * 64)[0].deleted_at == NOW
    assert upload_rows.find_same_files("nothing", "b" * 64) == []


def test_the_bytes_of_a_project() -> None:
    project = make_project()
    assert upload_rows.project_bytes(project) == 0
    make_release(project, "1.0", files=2)
    make_release(project, "2.0", files=1)
    make_release(make_project(), "1.0", files=5)
    assert upload_rows.project_bytes(project) == 30
    File.objects.filter(release__version="2.0").update(deleted_at=NOW)
    assert upload_rows.project_bytes(project) == 20


def test_the_state_of_the_index() -> None:
    IndexState.objects.all().delete()
    assert upload_rows.index_state().read_only is False
    IndexState.objects.create(pk=1, read_only=True)
    assert upload_rows.index_state().read_only is True
