"""What credentials ask about projects (`credentials/projects.py`), and the reservation of a name.

A token that is limited to one project needs that project's id. Reserving gives a name its project before the
first upload, by the same rules, so that nobody needs a token for everything just to begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from sealstead.errors import DeniedError
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.projects import ProjectRef
from sealstead.server.index.models import IndexState, Project, Role, RoleName
from sealstead.server.index.names import (
    check_new_name,
    confusable_name,
    find_confusable,
    is_project_name,
    normalize_name,
)
from sealstead.server.index.permissions import ROLE_PERMISSIONS, Permission
from sealstead.server.index.serial import bump
from sealstead.server.index.states import require_open_for_upload
from sealstead.server.index.upload_errors import ProjectNameError

MAX_EMPTY_PROJECTS = 20
"""Names an account may hold without a file in them: a reservation is for what is about to be published."""

_UPLOADERS = [role for role, granted in ROLE_PERMISSIONS.items() if Permission.UPLOAD in granted]


class TooManyReservationsError(DeniedError):
    """The account holds too many projects without a file."""

    code = "too-many-reservations"


class IndexDirectory:
    """The projects of this index."""

    def uploadable_by(self, user: User) -> Sequence[ProjectRef]:
        rows = Project.objects.filter(
            roles__user=user, roles__role__in=_UPLOADERS, deleted_at__isnull=True
        ).order_by("normalized_name")
        return [_ref(row) for row in rows]

    def find(self, name: str) -> ProjectRef | None:
        row = Project.objects.filter(normalized_name=normalize_name(name), deleted_at__isnull=True).first()
        return None if row is None else _ref(row)

    def reserve(self, name: str, *, owner: User, at: datetime, origin: Origin) -> ProjectRef:
        name = name.strip()
        if not is_project_name(name):
            raise ProjectNameError(
                f"The name {name[:100]!r} isn't allowed: start and end with a letter or digit, and use only "
                "letters, digits, '-', '_' and '.'."
            )
        check_new_name(name, prohibited=settings.SEALSTEAD.prohibited_names)
        require_open_for_upload(None, IndexState.objects.filter(pk=1).first() or IndexState())
        taken = ProjectNameError(f"The name {name!r} is too similar to an existing project.")
        if find_confusable(name) is not None:
            raise taken
        try:
            with transaction.atomic():
                _require_room(owner)
                return self._create(name, owner, at, origin)
        except IntegrityError as exc:
            raise taken from exc

    def _create(self, name: str, owner: User, at: datetime, origin: Origin) -> ProjectRef:
        project = Project.objects.create(
            name=name,
            normalized_name=normalize_name(name),
            confusable_name=confusable_name(name),
            created_at=at,
        )
        Role.objects.create(project=project, user=owner, role=RoleName.OWNER, added_at=at)
        record(
            tags.PROJECT_RESERVED,
            at=at,
            origin=origin,
            actor_id=owner.pk,
            actor_name=owner.get_username(),
            project=project.normalized_name,
        )
        bump(project)
        return _ref(project)


def _require_room(owner: User) -> None:
    """Count under a lock on the account: two reservations at once must not both be the last."""
    list(User.objects.select_for_update().filter(pk=owner.pk).values_list("pk"))
    held = Project.objects.filter(
        roles__user=owner, roles__role=RoleName.OWNER, releases__isnull=True, deleted_at__isnull=True
    ).count()
    if held >= MAX_EMPTY_PROJECTS:
        raise TooManyReservationsError(
            f"The account has {held} projects without a file. Upload to them, or delete some, before it takes more."
        )


def _ref(row: Project) -> ProjectRef:
    return ProjectRef(id=row.pk, name=row.name, normalized_name=row.normalized_name)
