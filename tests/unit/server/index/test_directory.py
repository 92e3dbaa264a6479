from __future__ import annotations

from typing import Any

import pytest
from tests.rows import NOW, ORIGIN, make_project, make_user

from sealstead.server.audit.models import Event
from sealstead.server.credentials.projects import UnknownProjectError, project_directory, resolve_project
from sealstead.server.index.directory import MAX_EMPTY_PROJECTS, IndexDirectory, TooManyReservationsError
from sealstead.server.index.models import IndexState, Project, Role, RoleName
from sealstead.server.index.states import UploadsClosedError
from sealstead.server.index.upload_errors import ProjectNameError

pytestmark = pytest.mark.django_db


def reserve(name: str, owner: Any) -> Any:
    return project_directory().reserve(name, owner=owner, at=NOW, origin=ORIGIN)


def test_the_index_is_what_credentials_ask() -> None:
    assert isinstance(project_directory(), IndexDirectory)


def test_owners_and_maintainers_may_pick_a_project_and_nobody_else() -> None:
    owner, maintainer, stranger = make_user(), make_user(), make_user()
    project = make_project("Chrome.Plating", owner=owner, maintainers=(maintainer,))
    for user in (owner, maintainer):
        assert resolve_project("chrome_plating", user=user).id == project.pk
        assert [one.name for one in project_directory().uploadable_by(user)] == ["Chrome.Plating"]
    assert project_directory().uploadable_by(stranger) == []
    answers = set()
    for name in ("chrome-plating", "unborn"):
        with pytest.raises(UnknownProjectError) as caught:
            resolve_project(name, user=stranger)
        answers.add(caught.value.message.replace(name, "X"))
    assert len(answers) == 1


def test_a_reserved_name_is_a_project_with_an_owner_and_an_event() -> None:
    owner = make_user()
    ref = reserve(" Chrome.Plating ", owner)
    project = Project.objects.get(pk=ref.id)
    assert (project.name, project.normalized_name) == ("Chrome.Plating", "chrome-plating")
    assert Role.objects.get(project=project).role == RoleName.OWNER
    event = Event.objects.get(tag="project:reserved")
    assert (event.project, event.actor_id) == ("chrome-plating", owner.pk)
    assert project.serial


@pytest.mark.parametrize(
    "name", ["", "-x", "a b", "x" * 201, "json", "requirements.txt", "ch-rome", "CHR0ME"]
)
def test_the_rules_of_a_first_upload_hold(name: str) -> None:
    make_project("chrome")
    Project.objects.update(confusable_name="chr0me")
    with pytest.raises(ProjectNameError):
        reserve(name, make_user())
    assert Project.objects.count() == 1
    assert not Event.objects.exists()


def test_a_burned_name_stays_burned() -> None:
    make_project("chrome")
    Project.objects.update(confusable_name="chr0me", deleted_at=NOW)
    with pytest.raises(ProjectNameError):
        reserve("chrome", make_user())


def test_closed_for_new_projects() -> None:
    IndexState.objects.update_or_create(pk=1, defaults={"new_projects_disabled": True})
    with pytest.raises(UploadsClosedError):
        reserve("chrome", make_user())
    assert not Project.objects.exists()


def test_names_are_not_hoarded() -> None:
    owner = make_user()
    for number in range(MAX_EMPTY_PROJECTS):
        make_project(f"p{number}", owner=owner)
    with pytest.raises(TooManyReservationsError):
        reserve("chrome", owner)
    reserve("chrome", make_user())
