"""Issue an upload token."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from sealstead.lifecycle.policy import checked_expiry
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import TokenNameInUseError
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.policy import current_policy
from sealstead.server.credentials.scope import clean_name, project_names, scope_document
from sealstead.server.credentials.seal import seal_root
from sealstead.server.credentials.states import is_living
from sealstead.server.credentials.tokens import token_text

ROOT_KEY_BYTES = 32


def issue_upload_token(
    *,
    owner: User,
    name: str,
    projects: Sequence[tuple[str, UUID]] | None,
    expires_at: datetime | None,
    at: datetime,
    origin: Origin,
) -> tuple[Credential, Secret[str]]:
    """Make a token for `projects` (normalised name, id), or for all projects of the owner if `None`.

    The caller has made sure that the owner may upload to them. The text is returned this once.

    Raises:
        InvalidTokenNameError, InvalidTokenScopeError: what was picked cannot be.
        TokenNameInUseError: a living token of the owner has the name.
        LifetimeRefusedError: against the operator's policy.
    """
    name = clean_name(name)
    scope = scope_document(projects)
    expires_at = checked_expiry(expires_at, current_policy(), at=at)
    credential_id = uuid.uuid4()
    row = Credential(
        id=credential_id,
        kind=Kind.UPLOAD_TOKEN,
        owner=owner,
        name=name,
        scope=scope,
        line=credential_id,
        line_started_at=at,
        created_at=at,
        expires_at=expires_at,
    )
    root = os.urandom(ROOT_KEY_BYTES)
    seal_root(row, root)
    token = token_text(row, root)
    with transaction.atomic():
        free_name(owner, Kind.UPLOAD_TOKEN, name, at)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as exc:
            raise TokenNameInUseError(name) from exc
        record(
            tags.TOKEN_ISSUED,
            at=at,
            origin=origin,
            actor_id=owner.pk,
            actor_name=owner.get_username(),
            credential_id=row.id,
            details={
                "name": name,
                "projects": project_names(scope),
                "expires_at": expires_at.isoformat() if expires_at else None,
            },
        )
        notify([owner], "token-issued", {"token": row, "projects": project_names(scope), "origin": origin})
    return row, token


def free_name(owner: User, kind: Kind, name: str, at: datetime) -> None:
    """Take the name from a line that has ended by expiry: revocation gives it back by itself.

    Raises:
        TokenNameInUseError: a living credential of this kind has it.
    """
    holder = Credential.objects.filter(owner=owner, kind=kind, name=name, holds_name=True).first()
    if holder is None:
        return
    if any(is_living(link, at) for link in Credential.objects.filter(line=holder.line)):
        raise TokenNameInUseError(name, word="API key" if kind is Kind.API_KEY else "token")
    Credential.objects.filter(pk=holder.pk).update(holds_name=False)
