"""Tokens at a fixed moment, for in-process tests. Import it inside tests and fixtures of a `conftest.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sealstead.secret import Secret
from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.models import Credential

T0 = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ORIGIN = Origin(ip="192.0.2.7", user_agent="twine/6.1.0", request_id="r-1")
CHROME = ("chrome", UUID(int=0xC))
STEEL = ("steel", UUID(int=0x5))
PASSWORD = "correct horse battery"

Issue = Callable[..., tuple[Credential, Secret[str]]]


def make_account(name: str) -> User:
    user = create_user(username=name, email=f"{name}@example.org", password=PASSWORD)
    Event.objects.filter(user_id=user.pk).delete()  # of its creation; the tests are about what follows
    return user


def issue_token(**facts: Any) -> tuple[Credential, Secret[str]]:
    """Issue a token for the project `chrome`, for 30 days from T0, unless told otherwise; `owner` is needed."""
    return issue_upload_token(
        **{
            "name": "ci",
            "projects": [CHROME],
            "expires_at": T0 + timedelta(days=30),
            "at": T0,
            "origin": ORIGIN,
        }
        | facts
    )
