"""The keys and tokens of an account, as administrators see and end them."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.fakes.clock import FakeClock
from tests.rows import make_user
from tests.tokens import issue_token

from sealstead.server.accounts.models import User
from sealstead.server.credentials.models import Credential

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("boss", is_superuser=True))
    return client


def token(owner: User, clock: FakeClock, **facts: Any) -> Credential:
    now = clock.now()
    return issue_token(**{"owner": owner, "at": now, "expires_at": now + timedelta(days=30)} | facts)[0]


def person(client: Client, user: User, question: str = "") -> str:
    return html.unescape(client.get(f"/manage/server/users/{user.pk}/{question}").content.decode())


def address(user: User) -> str:
    return f"/manage/server/keys/{user.pk}/revoke/"


def living() -> set[str]:
    return set(Credential.objects.filter(revoked_at=None).values_list("name", flat=True))


def test_for_others_the_page_does_not_exist(bob: User, fake_clock: FakeClock) -> None:
    token(bob, fake_clock)
    visitor = Client()
    form = {"which": "all", "confirmed": "yes"}
    assert visitor.post(address(bob), form).status_code == 302
    visitor.force_login(bob)
    assert visitor.post(address(bob), form).status_code == 404
    assert living() == {"ci"}


def test_until_when_a_replaced_one_is_accepted(client: Client, bob: User, fake_clock: FakeClock) -> None:
    token(bob, fake_clock, name="old")
    Credential.objects.filter(name="old").update(retires_at=fake_clock.now() + timedelta(days=7))
    shown = person(client, bob)
    until = shown[shown.index("being replaced") :]
    assert f"{fake_clock.now() + timedelta(days=7):%Y-%m-%d}" in until[:200]


def test_what_lives_and_what_has_ended_are_shown(client: Client, bob: User, fake_clock: FakeClock) -> None:
    token(bob, fake_clock, name="in use")
    token(bob, fake_clock, name="short", expires_at=fake_clock.now() + timedelta(minutes=1))
    deleted = token(bob, fake_clock, name="deleted")
    Credential.objects.filter(pk=deleted.pk).update(
        revoked_at=fake_clock.now(), removed_at=fake_clock.now(), revoke_reason="lost"
    )
    fake_clock.move(timedelta(minutes=2))
    page = person(client, bob)
    assert "in use" in page
    assert ">short<" not in page
    ended = person(client, bob, "?keys=ended")
    for text in (">short<", ">deleted<", "deleted by its owner", "lost"):
        assert text in ended
    assert 'name="key"' not in ended


def test_what_is_picked_is_asked_about_and_then_revoked(
    client: Client, bob: User, fake_clock: FakeClock
) -> None:
    first, second = token(bob, fake_clock, name="first"), token(bob, fake_clock, name="second")
    foreign = token(make_user("carol"), fake_clock, name="foreign")
    form = {"which": "selected", "key": [str(first.pk), str(foreign.pk), "nonsense"]}
    asked = html.unescape(client.post(address(bob), form).content.decode())
    assert "Revoke these keys and tokens of bob?" in asked
    assert "first" in asked
    assert "second" not in asked
    assert "foreign" not in asked
    assert living() == {"first", "second", "foreign"}
    answer = client.post(address(bob), form | {"confirmed": "yes", "reason": "left\nthe company\0"})
    assert answer["Location"].endswith(f"/users/{bob.pk}/#keys")
    assert living() == {"second", "foreign"}
    first.refresh_from_db()
    assert first.revoke_reason == "left the company"
    assert second.revoked_at is None


def test_all_of_them_are_revoked_also_what_came_since(
    client: Client, bob: User, fake_clock: FakeClock
) -> None:
    token(bob, fake_clock, name="first")
    foreign = token(make_user("carol"), fake_clock, name="foreign")
    asked = client.post(address(bob), {"which": "all"}).content.decode()
    assert "Revoke all keys and tokens of bob?" in html.unescape(asked)
    assert 'value="all"' in asked
    token(bob, fake_clock, name="since")
    client.post(address(bob), {"which": "all", "confirmed": "yes"})
    assert living() == {"foreign"}
    assert foreign.revoked_at is None


def test_nothing_picked_is_nothing_revoked(client: Client, bob: User, fake_clock: FakeClock) -> None:
    token(bob, fake_clock)
    page = client.post(address(bob), {"which": "selected", "confirmed": "yes"}, follow=True)
    assert "nothing is revoked" in page.content.decode()
    assert living() == {"ci"}
