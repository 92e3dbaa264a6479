"""Who may do what to a project: one table, role to permissions.

Upload tokens never pass through here with anything but `UPLOAD` (DESIGN §5): the pages that need
another permission authenticate by sign-in alone.
"""

from __future__ import annotations

import enum

from sealstead.errors import DeniedError
from sealstead.server.accounts.models import User
from sealstead.server.index.models import Project, Role, RoleName


class Permission(enum.StrEnum):
    UPLOAD = "upload"
    VIEW = "view"
    VIEW_EVENTS = "view-events"
    MANAGE_MEMBERS = "manage-members"
    YANK = "yank"
    DELETE = "delete"
    CHANGE_STATE = "change-state"


ROLE_PERMISSIONS: dict[RoleName, frozenset[Permission]] = {
    RoleName.OWNER: frozenset(Permission),
    RoleName.MAINTAINER: frozenset({Permission.UPLOAD, Permission.VIEW}),
}
"""The reference index gives maintainers upload alone; removing what others depend on is the owners' decision."""


class NotAllowedError(DeniedError):
    """The account has no role that grants the permission."""

    code = "not-allowed"


class UploadNotAllowedError(NotAllowedError):
    """The token is good, but its owner may not upload to this project (any more)."""

    code = "upload-not-allowed"


def role_of(user: User, project: Project) -> RoleName | None:
    role = Role.objects.filter(user=user, project=project).values_list("role", flat=True).first()
    return None if role is None else RoleName(role)


def allows(user: User, project: Project, permission: Permission) -> bool:
    role = role_of(user, project)
    return role is not None and permission in ROLE_PERMISSIONS[role]


def require(user: User, project: Project, permission: Permission) -> None:
    """Return if `user` holds `permission` on `project`.

    Raises:
        UploadNotAllowedError: for `UPLOAD`, with the text that twine prints.
        NotAllowedError: for every other permission.
    """
    require_role(role_of(user, project), user, project, permission)


def require_role(role: RoleName | None, user: User, project: Project, permission: Permission) -> None:
    """The same for a caller who knows which `role` the user has on the project."""
    if role is not None and permission in ROLE_PERMISSIONS[role]:
        return
    if permission is Permission.UPLOAD:
        raise UploadNotAllowedError(
            f"The user '{user.get_username()}' isn't allowed to upload to project '{project.name}'."
        )
    raise NotAllowedError(f"the user {user.get_username()} may not {permission} on project {project.name}")
