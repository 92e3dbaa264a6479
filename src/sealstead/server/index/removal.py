"""Yank, unyank and delete. A deleted file, release or project leaves its name burned.

Yanking hides a release from installers that did not ask for it by version (PEP 592) and can be taken
back. Deleting cannot: rows stay, marked, so that no other content ever appears under an old name; the
blobs are collected later. Each step is one event and one mail to all members.
"""

from __future__ import annotations

from django.db import transaction

from sealstead.errors import NotFoundError
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import record
from sealstead.server.index.members import Act
from sealstead.server.index.models import File, Invitation, Project, Release, Role
from sealstead.server.index.permissions import Permission, require
from sealstead.server.index.serial import bump


class UnknownReleaseError(NotFoundError):
    """The project has no such release."""

    code = "unknown-release"


class UnknownFileError(NotFoundError):
    """The release has no such file."""

    code = "unknown-file"


def yank(project: Project, version: str, act: Act, *, reason: str = "") -> None:
    """Yank a release; doing so again replaces the reason."""
    with transaction.atomic():
        project = _locked(project, act, Permission.YANK)
        release = _release(project, version)
        release.yanked_at = release.yanked_at or act.at
        release.yanked_reason = reason.strip()[:400]
        release.save(update_fields=["yanked_at", "yanked_reason"])
        _tell(tags.RELEASE_YANKED, project, act, version=release.version, reason=release.yanked_reason)


def unyank(project: Project, version: str, act: Act) -> None:
    with transaction.atomic():
        project = _locked(project, act, Permission.YANK)
        release = _release(project, version)
        if release.yanked_at is None:
            return
        release.yanked_at, release.yanked_reason = None, ""
        release.save(update_fields=["yanked_at", "yanked_reason"])
        _tell(tags.RELEASE_UNYANKED, project, act, version=release.version)


def delete_file(project: Project, filename: str, act: Act) -> None:
    with transaction.atomic():
        project = _locked(project, act, Permission.DELETE)
        file = (
            File.objects.filter(release__project=project, filename=filename, deleted_at__isnull=True)
            .select_related("release")
            .first()
        )
        if file is None:
            raise UnknownFileError(f"{project.name} has no file of that name")
        file.deleted_at = act.at
        file.save(update_fields=["deleted_at"])
        _tell(tags.FILE_REMOVED, project, act, version=file.release.version, filename=filename)


def delete_release(project: Project, version: str, act: Act) -> None:
    with transaction.atomic():
        project = _locked(project, act, Permission.DELETE)
        release = _release(project, version)
        release.deleted_at = act.at
        release.save(update_fields=["deleted_at"])
        File.objects.filter(release=release, deleted_at__isnull=True).update(deleted_at=act.at)
        _tell(tags.RELEASE_REMOVED, project, act, version=release.version)


def delete_project(project: Project, act: Act) -> None:
    """Delete a project with everything in it. The name stays taken for ever.

    Roles end too, so that no token of a former member fits the name any more.
    """
    with transaction.atomic():
        project = _locked(project, act, Permission.DELETE)
        members = list(User.objects.filter(roles__project=project, is_active=True))
        project.deleted_at = act.at
        project.save(update_fields=["deleted_at"])
        File.objects.filter(release__project=project, deleted_at__isnull=True).update(deleted_at=act.at)
        Release.objects.filter(project=project, deleted_at__isnull=True).update(deleted_at=act.at)
        Role.objects.filter(project=project).delete()
        Invitation.objects.filter(project=project).delete()
        _tell(tags.PROJECT_REMOVED, project, act, members=members)


def _locked(project: Project, act: Act, permission: Permission) -> Project:
    project = Project.objects.select_for_update().get(pk=project.pk)
    require(act.actor, project, permission)
    return project


def _release(project: Project, version: str) -> Release:
    release = Release.objects.filter(project=project, version=version, deleted_at__isnull=True).first()
    if release is None:
        raise UnknownReleaseError(f"{project.name} has no release {version[:200]!r}")
    return release


def _tell(tag: str, project: Project, act: Act, *, members: list[User] | None = None, **details: str) -> None:
    bump(project)
    record(
        tag,
        at=act.at,
        origin=act.origin,
        actor_id=act.actor.pk,
        actor_name=act.actor.username,
        project=project.normalized_name,
        details={name: value for name, value in details.items() if value},
    )
    if members is None:
        members = list(User.objects.filter(roles__project=project, is_active=True))
    context = {"step": tag, "project": project, "actor": act.actor.username, **details}
    transaction.on_commit(lambda: notify(members, "project_removal", context))
