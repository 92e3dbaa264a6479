"""Project states (PEP 792) and the switches of the whole index.

Archived: no uploads, still listed and installed. Quarantined: out of sight of installers until an
administrator has looked. Both are reversible; each step is one event and one mail to all members.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sealstead.errors import DeniedError
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.index.members import Act
from sealstead.server.index.models import IndexState, Project, ProjectState
from sealstead.server.index.permissions import NotAllowedError, Permission, require
from sealstead.server.index.serial import bump


class UploadsClosedError(DeniedError):
    """The project or the whole index takes no uploads now."""

    code = "uploads-closed"


_TAGS = {
    ProjectState.ACTIVE: tags.PROJECT_ACTIVATED,
    ProjectState.ARCHIVED: tags.PROJECT_ARCHIVED,
    ProjectState.QUARANTINED: tags.PROJECT_QUARANTINED,
}


def change_state(project: Project, state: ProjectState, act: Act, *, reason: str = "") -> None:
    """Move a project to `state`; moving it to where it is changes nothing.

    Owners archive and bring back. Into and out of quarantine only administrators move a project:
    an owner's account may be what has been stolen.

    Raises:
        NotAllowedError: the actor may not.
    """
    with transaction.atomic():
        project = Project.objects.select_for_update().get(pk=project.pk)
        if ProjectState.QUARANTINED in {state, project.state}:
            if not (act.actor.is_superuser and act.actor.is_active):
                raise NotAllowedError("only an administrator may quarantine a project or release it")
        else:
            require(act.actor, project, Permission.CHANGE_STATE)
        if project.state == state:
            return
        project.state = state
        project.state_reason = reason.strip()[:400]
        project.save(update_fields=["state", "state_reason"])
        bump(project)
        record(
            _TAGS[state],
            at=act.at,
            origin=act.origin,
            actor_id=act.actor.pk,
            actor_name=act.actor.username,
            project=project.normalized_name,
            details={"reason": project.state_reason} if project.state_reason else {},
        )
        members = list(User.objects.filter(roles__project=project, is_active=True))
        context = {
            "project": project,
            "state": state.value,
            "reason": project.state_reason,
            "actor": act.actor.username,
        }
        transaction.on_commit(lambda: notify(members, "project_state", context))


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The whole index: `None` leaves a switch as it is."""

    read_only: bool | None = None
    uploads_disabled: bool | None = None
    new_projects_disabled: bool | None = None


def set_switches(switches: Switches, *, at: datetime) -> IndexState:
    """Turn the switches of the index, as the operator, and return where they stand."""
    with transaction.atomic():
        IndexState.objects.get_or_create(pk=1)
        state = IndexState.objects.select_for_update().get(pk=1)
        changed = {
            name: value
            for name, value in vars(switches).items()
            if value is not None and value != getattr(state, name)
        }
        if changed:
            for name, value in changed.items():
                setattr(state, name, value)
            state.save(update_fields=list(changed))
            record(tags.INDEX_SWITCHED, at=at, origin=Origin(), actor_name="operator", details=changed)
    return state


def require_open_for_upload(project: Project | None, state: IndexState) -> None:
    """Return if uploads to `project` are open; `None` stands for a project yet to be made.

    Raises:
        UploadsClosedError: with the text that twine prints.
    """
    if state.read_only:
        raise UploadsClosedError("Read-only mode: Uploads are temporarily disabled.")
    if state.uploads_disabled:
        raise UploadsClosedError("New uploads are temporarily disabled.")
    if project is None:
        if state.new_projects_disabled:
            raise UploadsClosedError("New projects are temporarily disabled.")
        return
    if project.state == ProjectState.ARCHIVED:
        raise UploadsClosedError(f"Project '{project.name}' has been archived and takes no new files.")
    if project.state == ProjectState.QUARANTINED:
        raise UploadsClosedError(f"Project '{project.name}' is quarantined and takes no new files.")
