"""API keys at a fixed moment, for in-process tests. Import it inside tests and fixtures of a `conftest.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from tests.tokens import T0

from sealstead.secret import Secret
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.issue_key import issue_api_key
from sealstead.server.credentials.key_scope import key_scope
from sealstead.server.credentials.models import Credential

SIGNER = Origin(ip="192.0.2.9", user_agent="SignotaurTool/1", request_id="r-9")
BOTH = ("Standard", "ApiKeyRotator")

IssueKey = Callable[..., tuple[Credential, Secret[str]]]


def issue_key(
    *,
    roles: Sequence[str] = BOTH,
    labels: Sequence[str] = (),
    networks: Sequence[str] = (),
    rate: str = "",
    **facts: Any,
) -> tuple[Credential, Secret[str]]:
    """Issue a key with both roles for 90 days from T0, unless told otherwise; `owner` is needed."""
    scope = key_scope(roles=roles, labels=labels, networks=networks, rate=rate)
    return issue_api_key(
        **{"name": "ci", "scope": scope, "expires_at": T0 + timedelta(days=90), "at": T0, "origin": SIGNER}
        | facts
    )


def bearer(text: Secret[str] | str) -> str:
    return f"Bearer {text.reveal() if isinstance(text, Secret) else text}"
