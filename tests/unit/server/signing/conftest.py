"""Signing keys at a fixed moment; who does something with them is an argument of every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock
    from tests.signing import Client

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


@pytest.fixture
def client(ada: User, fake_clock: FakeClock) -> Client:
    """Ada with a key that signs, at T0."""
    from tests.api_keys import issue_key
    from tests.signing import Client
    from tests.tokens import T0

    from sealstead.server.audit.models import Event

    fake_clock.moment = T0
    _, text = issue_key(owner=ada)
    Event.objects.all().delete()
    return Client(text)
