from __future__ import annotations

import pytest
from django.core import mail
from tests.rows import NOW, ORIGIN, make_project, make_user

from sealstead.server.audit.models import Event
from sealstead.server.index import states
from sealstead.server.index.members import Act
from sealstead.server.index.models import IndexState, Project, ProjectState
from sealstead.server.index.permissions import NotAllowedError

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_archives_and_brings_back() -> None:
    owner = make_user("ada")
    project = make_project(owner=owner)
    act = Act(actor=owner, at=NOW, origin=ORIGIN)
    states.change_state(project, ProjectState.ARCHIVED, act, reason="done")
    project.refresh_from_db()
    assert (project.state, project.state_reason, project.serial) == ("archived", "done", 1)
    with pytest.raises(states.UploadsClosedError, match="archived"):
        states.require_open_for_upload(project, IndexState())
    states.change_state(project, ProjectState.ACTIVE, act)
    project.refresh_from_db()
    states.require_open_for_upload(project, IndexState())
    assert [message.to for message in mail.outbox] == [["ada@example.org"]] * 2
    assert list(Event.objects.values_list("tag", flat=True)) == ["project:archived", "project:activated"]


def test_quarantine_is_for_administrators_both_ways() -> None:
    owner, admin = make_user(), make_user(is_superuser=True)
    project = make_project(owner=owner)
    by_owner, by_admin = (Act(actor=person, at=NOW, origin=ORIGIN) for person in (owner, admin))
    with pytest.raises(NotAllowedError):
        states.change_state(project, ProjectState.QUARANTINED, by_owner)
    states.change_state(project, ProjectState.QUARANTINED, by_admin)
    for state in (ProjectState.ACTIVE, ProjectState.ARCHIVED):
        with pytest.raises(NotAllowedError):
            states.change_state(project, state, by_owner)
    assert Project.objects.get().state == "quarantined"
    with pytest.raises(states.UploadsClosedError, match="quarantined"):
        states.require_open_for_upload(Project.objects.get(), IndexState())


def test_strangers_and_administrators_without_a_role_do_not_archive() -> None:
    project = make_project(owner=make_user())
    for person in (make_user(), make_user(is_superuser=True)):
        with pytest.raises(NotAllowedError):
            states.change_state(project, ProjectState.ARCHIVED, Act(actor=person, at=NOW, origin=ORIGIN))


@pytest.mark.parametrize("switch", ["read_only", "uploads_disabled", "new_projects_disabled"])
def test_switches_close_what_they_say(switch: str) -> None:
    state = states.set_switches(states.Switches(**{switch: True}), at=NOW)
    project = make_project(owner=make_user())
    with pytest.raises(states.UploadsClosedError):
        states.require_open_for_upload(None, state)
    if switch == "new_projects_disabled":
        states.require_open_for_upload(project, state)
    else:
        with pytest.raises(states.UploadsClosedError):
            states.require_open_for_upload(project, state)
    states.require_open_for_upload(None, states.set_switches(states.Switches(**{switch: False}), at=NOW))


def test_turning_a_switch_is_one_event_and_leaving_it_none() -> None:
    states.set_switches(states.Switches(read_only=True), at=NOW)
    states.set_switches(states.Switches(read_only=True), at=NOW)
    states.set_switches(states.Switches(), at=NOW)
    assert Event.objects.get().details == {"read_only": True}
