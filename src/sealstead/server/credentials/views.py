"""What the pages of credentials share: who asks, when, and which credential of theirs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest

from sealstead.server.accounts.models import User
from sealstead.server.credentials.errors import CredentialNotFoundError
from sealstead.server.credentials.listing import get_credential
from sealstead.server.credentials.models import Credential, Kind


def own(user: User, credential_id: UUID) -> Credential:
    """Return it, or answer 404: somebody else's is like none."""
    try:
        return get_credential(user, credential_id)
    except CredentialNotFoundError:
        raise Http404 from None


def own_key(user: User, credential_id: UUID) -> Credential:
    row = own(user, credential_id)
    if row.kind != Kind.API_KEY:
        raise Http404
    return row


def the_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the decorator signs in; for the type checker
    return request.user


def now() -> datetime:
    return settings.SEALSTEAD.clock.now()
