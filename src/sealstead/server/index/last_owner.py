"""Which projects would be left without an owner if an account went."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from sealstead.server.accounts.models import User
from sealstead.server.index.models import Project, Role, RoleName


def owned_alone(user: User) -> list[str]:
    """Return the names of the living projects whose only owner with an open account is `user`."""
    owners = Role.objects.filter(project=OuterRef("pk"), role=RoleName.OWNER)
    return list(
        Project.objects.filter(deleted_at__isnull=True)
        .filter(
            Exists(owners.filter(user=user)), ~Exists(owners.filter(user__is_active=True).exclude(user=user))
        )
        .order_by("normalized_name")
        .values_list("name", flat=True)
    )
