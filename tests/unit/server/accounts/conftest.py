from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User

PASSWORD = "correct horse battery"


@pytest.fixture
def alice() -> User:
    from sealstead.server.accounts.create import create_user
    from sealstead.server.audit.models import Event

    user = create_user(username="alice", email="alice@example.org", password=PASSWORD)
    Event.objects.all().delete()
    return user


@pytest.fixture
def mails(settings: Any) -> Iterator[list[Any]]:
    """Mails sent since. Tests run inside a transaction that never commits, so delivery is told at once."""
    from django.core import mail
    from django.db import transaction

    mail.outbox = []
    patch = pytest.MonkeyPatch()
    patch.setattr(transaction, "on_commit", lambda callback, **_options: callback())
    yield mail.outbox
    patch.undo()
