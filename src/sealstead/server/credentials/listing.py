"""Find an owner's credentials."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from sealstead.server.accounts.models import User
from sealstead.server.credentials.errors import CredentialNotFoundError
from sealstead.server.credentials.models import Credential


def credentials_of(owner: User) -> QuerySet[Credential]:
    """Return all kinds, newest first, without what the owner has deleted."""
    return Credential.objects.filter(owner=owner, removed_at=None).order_by("-created_at", "pk")


def get_credential(owner: User, credential_id: UUID) -> Credential:
    """Return one of the owner's.

    Raises:
        CredentialNotFoundError: unknown, deleted, or somebody else's.
    """
    row = (
        Credential.objects.select_related("owner", "predecessor")
        .filter(owner=owner, pk=credential_id, removed_at=None)
        .first()
    )
    if row is None:
        raise CredentialNotFoundError
    return row
