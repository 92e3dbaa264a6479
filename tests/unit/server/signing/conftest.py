"""Signing keys at a fixed moment; who does something with them is an argument of every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User


@pytest.fixture
def ada() -> User:
    from tests.tokens import make_account

    return make_account("ada")


@pytest.fixture
def bob() -> User:
    from tests.tokens import make_account

    return make_account("bob")


@pytest.fixture
def admin() -> User:
    from tests.tokens import make_account

    user = make_account("root")
    user.is_superuser = True
    user.save()
    return user
