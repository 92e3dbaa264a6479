"""Grants from the side of the account."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from tests.rows import make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.signing import manage
from sealstead.server.signing.create import By, Named, create_minisign
from sealstead.server.signing.models import Certificate, Profile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

BY = By(actor=None, at=datetime(2026, 1, 1, tzinfo=UTC), origin=Origin())


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("boss", is_superuser=True))
    return client


def key(label: str) -> Certificate:
    return create_minisign(Named(label=label, profile=Profile.MINISIGN), BY).row


def granted(user: User) -> set[str]:
    return {one.certificate.label for one in user.certificate_grants.select_related("certificate")}


def test_exactly_what_is_ticked_is_granted(client: Client, bob: User) -> None:
    rows = {label: key(label) for label in ("a", "b", "c")}
    manage.grant(rows["a"], bob, BY)
    page = client.get(f"/manage/server/users/{bob.pk}/").content.decode()
    assert page.count('name="certificate"') == 3
    assert page.count(" checked") == 1
    Event.objects.all().delete()
    shown = [str(row.pk) for row in rows.values()]
    answer = client.post(
        f"/manage/server/certificates/of/{bob.pk}/",
        {"shown": shown, "certificate": [shown[1], shown[2]]},
    )
    assert answer.status_code == 302
    assert granted(bob) == {"b", "c"}
    assert sorted(Event.objects.values_list("tag", flat=True)) == [
        tags.CERTIFICATE_GRANTED,
        tags.CERTIFICATE_GRANTED,
        tags.CERTIFICATE_WITHDRAWN,
    ]


def test_what_the_page_did_not_show_stays_as_it_is(client: Client, bob: User) -> None:
    seen, late = key("seen"), key("late")
    manage.grant(late, bob, BY)
    client.post(f"/manage/server/certificates/of/{bob.pk}/", {"shown": [str(seen.pk)], "certificate": []})
    assert granted(bob) == {"late"}


def test_the_test_authority_is_never_granted(client: Client, bob: User) -> None:
    from sealstead.server.signing.create import create_test

    create_test("x", Named(label="x"), BY, algorithm="P-256")
    authority = str(Certificate.objects.get(is_root=True).pk)
    client.post(
        f"/manage/server/certificates/of/{bob.pk}/", {"shown": [authority], "certificate": [authority]}
    )
    assert granted(bob) == set()
