from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from tests.rows import make_user
from tests.tokens import ORIGIN, T0, issue_token

from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.use import mark_used

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_use_is_one_row_changed_and_the_next_commit_waits_for_the_disk_again() -> None:
    row, _ = issue_token(owner=make_user())
    other, _ = issue_token(owner=make_user())
    before = waits()
    assert connection.vendor != "sqlite" or before == "2"  # FULL
    mark_used(row.pk, at=T0 + timedelta(minutes=1), origin=ORIGIN)
    row.refresh_from_db()
    assert (row.use_count, row.last_used_ip, row.last_used_agent) == (1, ORIGIN.ip, ORIGIN.user_agent)
    assert Credential.objects.get(pk=other.pk).last_used_at is None
    assert waits() == before


def waits() -> str:
    """Return how this connection's commits wait for the disk."""
    setting = "PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit"
    with connection.cursor() as cursor:
        cursor.execute(setting)
        return str(cursor.fetchone()[0])


def test_a_use_within_a_transaction_is_a_mistake() -> None:
    row, _ = issue_token(owner=make_user())
    with pytest.raises(RuntimeError), transaction.atomic():
        mark_used(row.pk, at=T0, origin=ORIGIN)
    row.refresh_from_db()
    assert row.use_count == 0
