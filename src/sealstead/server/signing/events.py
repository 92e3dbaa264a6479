"""The events of requests to sign: file facts, certificate and key; never a signature."""

from __future__ import annotations

from typing import Any

from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.api_keys import ApiGrant
from sealstead.server.signing.order import Order
from sealstead.server.table_rows import new_row


def order_facts(order: Order) -> dict[str, Any]:
    """Return what was asked for."""
    facts: dict[str, Any] = {
        "algorithm": order.algorithm,
        "files": [
            {
                name: value
                for name, value in (
                    ("name", item.file_name),
                    ("kind", item.kind),
                    ("digest", item.digest.hex()),
                    ("size", item.file_size),
                    ("version", item.file_version),
                )
                if value not in (None, "")
            }
            for item in order.items
        ],
        "description": order.description,
        "description_url": order.description_url,
    }
    return {name: value for name, value in facts.items() if value}


def sign_event(tag: str, grant: ApiGrant, origin: Origin, details: dict[str, Any]) -> Event:
    """Return the event of a request whose key was judged."""
    return new_row(
        Event,
        tag=tag,
        at=grant.at,
        actor_id=grant.owner.pk,
        actor_name=grant.owner.get_username(),
        user_id=grant.owner.pk,
        credential_id=grant.credential_id,
        ip=origin.ip,
        user_agent=origin.user_agent[:400],
        request_id=origin.request_id,
        details={"key": grant.handle, **details},
    )
