"""Accounts and tokens at a fixed moment; time is an argument of every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api_keys import IssueKey
    from tests.tokens import Issue

    from sealstead.secret import Secret
    from sealstead.server.accounts.models import User
    from sealstead.server.credentials.models import Credential


@pytest.fixture
def alice() -> User:
    from tests.tokens import make_account

    return make_account("alice")


@pytest.fixture
def bob() -> User:
    from tests.tokens import make_account

    return make_account("bob")


@pytest.fixture
def issue(alice: User) -> Issue:
    """Issue a token of alice's for the project `chrome`, for 30 days from T0, unless told otherwise."""
    from tests.tokens import issue_token

    def make(**facts: Any) -> tuple[Credential, Secret[str]]:
        return issue_token(**{"owner": alice} | facts)

    return make


@pytest.fixture
def issue_key(alice: User) -> IssueKey:
    """Issue an API key of alice's with both roles, for 90 days from T0, unless told otherwise."""
    from tests.api_keys import issue_key as issue_one

    def make(**facts: Any) -> tuple[Credential, Secret[str]]:
        return issue_one(**{"owner": alice} | facts)

    return make
