"""Administrators hear of a certificate that expires, unless it has been renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from tests.rows import make_user

from sealstead.server.accounts.reminders import send_due
from sealstead.server.signing.models import Certificate, Profile

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = NOW + timedelta(days=60)


def make(alias: str, end: datetime = END, *, label: str = "production", **facts: object) -> Certificate:
    row = Certificate(
        alias=alias,
        profile=Profile.AUTHENTICODE,
        key_uri="sealed:",
        algorithm="P-256",
        not_before=NOW,
        not_after=end,
        created_at=NOW,
        **facts,
    )
    row.set_label(label)
    row.save()
    return row


def sent(at: datetime) -> list[str]:
    mail.outbox.clear()
    send_due(at)
    return [f"{one.to[0]}: {one.subject}" for one in mail.outbox]


def test_a_month_a_week_and_a_day_before() -> None:
    make_user("boss", is_superuser=True)
    make_user("other")
    make("old")
    said = ["boss@example.org: Signing certificate expires soon: old"]
    moments = {31: [], 30: said, 29: [], 7: said, 6: [], 1: said, 0.5: [], 0: []}
    assert {days: sent(END - timedelta(days=days)) for days in moments} == moments


def test_not_when_it_is_renewed_disabled_or_the_test_authority() -> None:
    make_user("boss", is_superuser=True)
    make("old")
    make("new", END + timedelta(days=300), label="Production")
    make("off", enabled=False, label="x")
    make("root", is_root=True, label="")
    assert sent(END - timedelta(days=2)) == []
    Certificate.objects.filter(alias="new").update(enabled=False)
    assert sent(END - timedelta(days=2)) == ["boss@example.org: Signing certificate expires soon: old"]
