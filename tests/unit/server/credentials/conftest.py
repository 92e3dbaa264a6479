"""Accounts and tokens at a fixed moment; time is an argument of every verb."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sealstead.secret import Secret
from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.models import Credential

T0 = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ORIGIN = Origin(ip="192.0.2.7", user_agent="twine/6.1.0", request_id="r-1")
CHROME = ("chrome", UUID(int=0xC))
STEEL = ("steel", UUID(int=0x5))

Issue = Callable[..., tuple[Credential, Secret[str]]]


@pytest.fixture
def alice() -> User:
    return create_user(username="alice", email="alice@example.org", password="correct horse battery")


@pytest.fixture
def bob() -> User:
    return create_user(username="bob", email="bob@example.org", password="correct horse battery")


@pytest.fixture
def issue(alice: User) -> Issue:
    """Issue a token of alice's for the project `chrome`, for 30 days from T0, unless told otherwise."""

    def make(**facts: Any) -> tuple[Credential, Secret[str]]:
        return issue_upload_token(
            **{
                "owner": alice,
                "name": "ci",
                "projects": [CHROME],
                "expires_at": T0 + timedelta(days=30),
                "at": T0,
                "origin": ORIGIN,
            }
            | facts
        )

    return make
