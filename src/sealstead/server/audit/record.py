"""Write one event. Callers inside a transaction get it with their change or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sealstead.server.audit.models import Event
from sealstead.server.table_rows import insert


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request came from, as far as the server believes it (`trusted_proxies`)."""

    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""


def record(
    tag: str,
    *,
    at: datetime,
    origin: Origin,
    accepted: bool = True,
    code: str = "",
    actor_id: UUID | None = None,
    actor_name: str = "",
    user_id: UUID | None = None,
    credential_id: UUID | None = None,
    project: str = "",
    details: dict[str, Any] | None = None,
) -> Event:
    """Append one event. `user_id` is the account concerned; it defaults to the actor."""
    return insert(
        Event(
            tag=tag,
            at=at,
            accepted=accepted,
            code=code,
            actor_id=actor_id,
            actor_name=actor_name,
            user_id=user_id or actor_id,
            credential_id=credential_id,
            project=project,
            ip=origin.ip,
            user_agent=origin.user_agent[:400],
            request_id=origin.request_id,
            details=details or {},
        )
    )
