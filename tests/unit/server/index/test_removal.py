from __future__ import annotations

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from tests.rows import NOW, ORIGIN, make_project, make_release, make_user

from sealstead.server.audit.models import Event
from sealstead.server.index import removal
from sealstead.server.index.members import Act
from sealstead.server.index.models import File, Project, Release, Role
from sealstead.server.index.permissions import NotAllowedError

pytestmark = pytest.mark.django_db(transaction=True)


def test_yank_and_unyank_change_the_serial_and_tell_all_members() -> None:
    owner, maintainer = make_user("ada"), make_user("bob")
    project = make_project(owner=owner, maintainers=(maintainer,))
    make_release(project, "1.0")
    act = Act(actor=owner, at=NOW, origin=ORIGIN)
    removal.yank(project, "1.0", act, reason="  broken  ")
    release = Release.objects.get()
    assert (release.yanked_at, release.yanked_reason) == (NOW, "broken")
    first = Project.objects.get().serial
    removal.unyank(project, "1.0", act)
    assert Release.objects.get().yanked_at is None
    assert Project.objects.get().serial > first
    assert list(Event.objects.values_list("tag", flat=True)) == ["release:yanked", "release:unyanked"]
    assert len(mail.outbox) == 4
    assert "broken" in mail.outbox[0].body


def test_unyank_of_what_is_not_yanked_tells_nobody() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    make_release(project)
    removal.unyank(project, "1.0", Act(actor=owner, at=NOW, origin=ORIGIN))
    assert not Event.objects.exists()
    assert Project.objects.get().serial == 0


def test_maintainers_and_strangers_remove_nothing() -> None:
    owner, maintainer, stranger = make_user(), make_user(), make_user()
    project = make_project(owner=owner, maintainers=(maintainer,))
    filename = make_release(project).files.get().filename
    for person in (maintainer, stranger):
        act = Act(actor=person, at=NOW, origin=ORIGIN)
        for refused in (
            lambda act=act: removal.yank(project, "1.0", act),
            lambda act=act: removal.delete_release(project, "1.0", act),
            lambda act=act: removal.delete_file(project, filename, act),
            lambda act=act: removal.delete_project(project, act),
        ):
            with pytest.raises(NotAllowedError):
                refused()
    assert Release.objects.filter(deleted_at=None, yanked_at=None).count() == 1
    assert File.objects.filter(deleted_at=None).count() == 1
    assert not Event.objects.exists()


def test_deleted_file_name_stays_burned() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    release = make_release(project, files=2)
    filename = File.objects.order_by("filename").first().filename
    removal.delete_file(project, filename, Act(actor=owner, at=NOW, origin=ORIGIN))
    assert File.objects.filter(deleted_at=None).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        File.objects.create(
            release=release,
            filename=filename,
            filetype="sdist",
            size=1,
            sha256="",
            blake2b="",
            md5="",
            uploaded_at=NOW,
        )
    with pytest.raises(removal.UnknownFileError):
        removal.delete_file(project, filename, Act(actor=owner, at=NOW, origin=ORIGIN))


def test_deleted_release_and_project_take_everything_with_them() -> None:
    owner = make_user("ada")
    project = make_project("burned", owner=owner)
    make_release(project, "1.0")
    make_release(project, "2.0")
    act = Act(actor=owner, at=NOW, origin=ORIGIN)
    removal.delete_release(project, "1.0", act)
    assert list(Release.objects.filter(deleted_at=None).values_list("version", flat=True)) == ["2.0"]
    with pytest.raises(removal.UnknownReleaseError):
        removal.yank(project, "1.0", act)
    removal.delete_project(project, act)
    assert not Release.objects.filter(deleted_at=None).exists()
    assert not File.objects.filter(deleted_at=None).exists()
    assert not Role.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_project("burned", owner=owner)
    assert mail.outbox[-1].to == ["ada@example.org"]
