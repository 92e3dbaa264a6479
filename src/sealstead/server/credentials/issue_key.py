"""Issue an API key."""

from __future__ import annotations

import os
import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from sealstead.formats.api_key_text import make_api_key
from sealstead.lifecycle.policy import checked_expiry
from sealstead.secret import Secret
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import TokenNameInUseError
from sealstead.server.credentials.issue import free_name
from sealstead.server.credentials.key_scope import KeyScope, scope_document_of
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.policy import current_policy
from sealstead.server.credentials.scope import clean_name
from sealstead.server.credentials.seal import seal_root


def issue_api_key(
    *,
    owner: User,
    name: str,
    scope: KeyScope,
    expires_at: datetime | None,
    at: datetime,
    origin: Origin,
    by_operator: bool = False,
) -> tuple[Credential, Secret[str]]:
    """Make a key of `owner`'s and return its text, this once. The owner makes it, or the operator at the command line.

    Raises:
        InvalidTokenNameError: no name can be like this.
        TokenNameInUseError: a living key of the owner has the name.
        LifetimeRefusedError: against the operator's policy.
    """
    name = clean_name(name)
    expires_at = checked_expiry(expires_at, current_policy(), at=at)
    made = make_api_key(os.urandom)
    credential_id = uuid.uuid4()
    row = Credential(
        id=credential_id,
        kind=Kind.API_KEY,
        owner=owner,
        name=name,
        handle=made.id,
        scope=scope_document_of(scope),
        line=credential_id,
        line_started_at=at,
        created_at=at,
        expires_at=expires_at,
    )
    seal_root(row, bytes.fromhex(made.secret_sha256))
    with transaction.atomic():
        free_name(owner, Kind.API_KEY, name, at)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as exc:
            raise TokenNameInUseError(name, word="API key") from exc
        record(
            tags.API_KEY_ISSUED,
            at=at,
            origin=origin,
            actor_id=None if by_operator else owner.pk,
            actor_name="" if by_operator else owner.get_username(),
            user_id=owner.pk,
            credential_id=row.pk,
            details={
                "name": name,
                **row.scope,
                "expires_at": expires_at.isoformat() if expires_at else None,
            },
        )
        notify([owner], "api-key-issued", {"key": row, "origin": origin})
    return row, made.text
