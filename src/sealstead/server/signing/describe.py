"""What is told of a certificate: to a client of the protocol, in an event, in a list."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin, record
from sealstead.server.signing.models import Certificate


def document_of(row: Certificate) -> dict[str, Any]:
    """Return the certificate as the protocol shows it (`CERT` of docs/reference/signing-api.md)."""
    return {
        "id": str(row.pk),
        "alias": row.alias,
        "label": row.label,
        "profile": row.profile,
        "subject": row.subject,
        "issuer": row.issuer,
        "serial": row.serial,
        "thumbprint": row.thumbprint,
        "thumbprint_sha256": row.thumbprint_sha256,
        "not_before": moment(row.not_before),
        "not_after": moment(row.not_after),
        "algorithm": row.algorithm,
        "is_test": row.is_test,
        "certificate": None if row.certificate is None else base64.b64encode(bytes(row.certificate)).decode(),
        "chain": list(row.chain),
        "public_key": row.public_key or None,
    }


@lru_cache(maxsize=256)
def moment(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC, to the second."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event_facts(row: Certificate) -> dict[str, str]:
    """Return what names the certificate in an event, also once the row is gone."""
    facts = {
        "certificate": row.alias,
        "certificate_id": str(row.pk),
        "label": row.label,
        "profile": row.profile,
        "thumbprint": row.thumbprint,
    }
    return {name: value for name, value in facts.items() if value}


def note(
    tag: str,
    row: Certificate,
    actor: User | None,
    *,
    at: datetime,
    origin: Origin,
    user_id: UUID | None = None,
    **details: Any,
) -> Event:
    """Write one event about the certificate itself. `user_id` is the account concerned, if it is not the actor's."""
    return record(
        tag,
        at=at,
        origin=origin,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        user_id=user_id,
        details=event_facts(row) | details,
    )
