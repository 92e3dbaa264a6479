"""Signing in and out: who gets in, what is limited, what is recorded, and that strangers learn nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sealstead.server.accounts import totp
from sealstead.server.accounts.disable import disable_user, enable_user
from sealstead.server.accounts.limits import microseconds
from sealstead.server.accounts.models import Attempts, OneTimeMark, Session, User
from sealstead.server.accounts.sessions import SessionStore
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

PASSWORD = "correct horse battery"
LOGIN = "/account/login/"


def try_password(client: Client, password: str = "wrong horse", login: str = "alice", **extra: Any) -> Any:
    return client.post(LOGIN, {"login": login, "password": password}, **extra)


def signed_in(client: Client) -> bool:
    return client.get("/manage/account/").status_code == 200


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", "Alice@Example.org", " alice "])
def test_by_name_or_address_in_any_case(client: Client, alice: User, login: str) -> None:
    answer = try_password(client, PASSWORD, login)
    assert (answer.status_code, answer.url) == (302, "/manage/account/")
    assert signed_in(client)
    event = Event.objects.get()
    assert (event.tag, event.actor_id, event.ip) == (tags.SIGNED_IN, alice.pk, "127.0.0.1")


def masked(answer: Any, typed: str) -> str:
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
    return text.replace(typed, "TYPED")


@pytest.mark.parametrize("typed", ["nobody", "nobody@example.org", "alice@example.org"])
def test_an_unknown_account_and_a_wrong_password_look_the_same(alice: User, typed: str) -> None:
    known = try_password(Client(), login="alice")
    other = try_password(Client(), login=typed)
    assert known.status_code == other.status_code == 200
    assert masked(known, 'value="alice"') == masked(other, f'value="{typed}"')
    assert known.headers["Content-Type"] == other.headers["Content-Type"]


def test_an_unknown_account_costs_one_hash_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealstead.server.accounts.passwords import CheapForTests

    hashes: list[str] = []
    for method in ("encode", "verify"):
        original = getattr(CheapForTests, method)

        def counted(self: Any, *args: Any, _original: Any = original, _method: str = method) -> Any:
            hashes.append(_method)
            return _original(self, *args)

        monkeypatch.setattr(CheapForTests, method, counted)
    try_password(Client(), login="nobody")
    unknown = len(hashes)
    hashes.clear()
    try_password(Client(), login="alice")
    assert unknown == len(hashes) == 1


def test_what_was_typed_as_a_name_is_not_stored(client: Client, alice: User) -> None:
    try_password(client, login="hunter2-my-password")
    event = Event.objects.get()
    assert (event.tag, event.accepted, event.code, event.user_id) == (
        tags.SIGN_IN_REFUSED,
        False,
        "unknown-user",
        None,
    )
    assert "hunter2" not in str(event.__dict__)
    assert re.fullmatch("[0-9a-f]{16}", event.details["login"])


def test_a_wrong_password_is_an_event_of_its_account(client: Client, alice: User) -> None:
    try_password(client, "hunter2 hunter2")
    event = Event.objects.get()
    assert (event.code, event.user_id, event.actor_id, event.details) == (
        "wrong-password",
        alice.pk,
        None,
        {},
    )
    assert "hunter2" not in str(event.__dict__)


@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_the_twenty_first_wrong_password_in_a_row_is_not_looked_at(
    alice: User, fake_clock: Any, login: str
) -> None:
    statuses = [try_password(Client(), login=login).status_code for _ in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    refused = try_password(Client(), PASSWORD, login=login)
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    codes = list(Event.objects.order_by("id").values_list("code", flat=True))
    assert codes[19:] == [codes[0], "too-many-attempts"]
    fake_clock.move(timedelta(minutes=15) - timedelta(microseconds=1))
    assert try_password(Client(), PASSWORD, login=login).status_code == 429
    fake_clock.move(timedelta(microseconds=1))
    assert try_password(Client(), PASSWORD, login="alice").status_code == 302


def test_name_and_address_share_one_limit(alice: User) -> None:
    for login in ["alice", "alice@example.org"] * 10:
        assert try_password(Client(), login=login).status_code == 200
    assert try_password(Client(), login="alice").status_code == 429
    assert try_password(Client(), login="alice@example.org").status_code == 429


def test_another_network_is_not_kept_out(alice: User) -> None:
    for _ in range(21):
        try_password(Client())
    assert try_password(Client(), PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 302


def test_many_networks_together_are_limited(alice: User) -> None:
    for number in range(100):
        assert try_password(Client(), REMOTE_ADDR=f"192.0.2.{number}").status_code == 200
    assert try_password(Client(), PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 429


def test_one_network_over_many_accounts_is_limited(alice: User) -> None:
    for number in range(100):
        assert try_password(Client(), login=f"user{number}").status_code == 200
    assert try_password(Client(), PASSWORD).status_code == 429


def test_a_success_begins_the_row_anew(alice: User) -> None:
    for _ in range(2):
        for _ in range(19):
            assert try_password(Client()).status_code == 200
        assert try_password(Client(), PASSWORD).status_code == 302


def test_signing_in_changes_the_key_of_the_session(client: Client, alice: User) -> None:
    client.post("/account/password/reset/key/1-set-password/")
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sealstead"] = session.session_key
    before = client.cookies["sealstead"].value
    try_password(client, PASSWORD)
    after = client.cookies["sealstead"].value
    assert before != after
    thief = Client()
    thief.cookies["sealstead"] = before
    assert not signed_in(thief)


def test_the_cookie(client: Client, alice: User) -> None:
    cookie = try_password(client, PASSWORD).cookies["sealstead"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == "", "ends with the browser"


@pytest.mark.parametrize(
    ("target", "arrives"),
    [
        ("/manage/projects/", "/manage/projects/"),
        ("https://evil.example/", "/manage/account/"),
        ("//evil.example/", "/manage/account/"),
        ("javascript:alert(1)", "/manage/account/"),
    ],
)
def test_only_pages_of_ours_are_returned_to(client: Client, alice: User, target: str, arrives: str) -> None:
    answer = client.post(LOGIN, {"login": "alice", "password": PASSWORD, "next": target})
    assert answer.url == arrives  # type: ignore[attr-defined]


def test_signing_out_needs_a_post(client: Client, alice: User) -> None:
    try_password(client, PASSWORD)
    client.get("/account/logout/")
    assert signed_in(client)
    client.post("/account/logout/")
    assert not signed_in(client)
    assert not Session.objects.filter(user=alice).exists()
    assert Event.objects.latest("id").tag == tags.SIGNED_OUT


@pytest.mark.parametrize("path", [LOGIN, "/account/logout/", "/account/password/change/", "/manage/account/"])
def test_forms_need_their_token(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(path, {"login": "alice", "password": PASSWORD}).status_code == 403


def test_a_disabled_account_is_out_at_once(client: Client, alice: User, fake_clock: Any) -> None:
    try_password(client, PASSWORD)
    disable_user(alice, at=fake_clock.now(), origin=Origin())
    assert not signed_in(client)
    assert not Session.objects.filter(user=alice).exists()
    answer = try_password(Client(), PASSWORD)
    assert answer.url == reverse("account_inactive")
    refusal = Event.objects.get(tag=tags.SIGN_IN_REFUSED)
    assert (refusal.code, refusal.user_id) == ("account-disabled", alice.pk)
    # Only the right password tells that it is disabled.
    assert try_password(Client()).status_code == 200
    enable_user(alice, at=fake_clock.now(), origin=Origin())
    assert try_password(Client(), PASSWORD).url == "/manage/account/"


def test_disabling_twice_is_one_event(alice: User, fake_clock: Any) -> None:
    for _ in range(2):
        disable_user(alice, at=fake_clock.now(), origin=Origin(), actor=alice)
    assert Event.objects.get().tag == tags.ACCOUNT_DISABLED


@pytest.mark.parametrize("method", ["get", "post"])
def test_registration_is_closed_by_default(client: Client, method: str) -> None:
    facts = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD}
    answer = getattr(client, method)("/account/signup/", facts)
    assert answer.status_code == 200
    assert not User.objects.exists()


def register(client: Client, **facts: str) -> Any:
    values = {"username": "eve", "email": "eve@example.org", "password1": PASSWORD} | facts
    return client.post("/account/signup/", values)


@pytest.fixture
def _open(settings: Any) -> None:
    settings.SEALSTEAD = replace(
        settings.SEALSTEAD, registration="open", public_url="https://index.example.org"
    )


def link_in(mail: Any) -> str:
    (link,) = re.findall(r"https://index\.example\.org(/\S+/)(?=\s)", mail.body)[:1]
    return str(link)


@pytest.mark.usefixtures("_open")
def test_registering_is_offered_where_it_is_open(client: Client) -> None:
    assert 'href="/account/signup/"' in client.get(LOGIN).content.decode()


def test_registering_is_not_offered_where_it_is_closed(client: Client) -> None:
    assert "/account/signup/" not in client.get(LOGIN).content.decode()


@pytest.mark.usefixtures("_open")
def test_who_registers_must_confirm_the_address_first(client: Client, mails: list[Any]) -> None:
    assert register(client, username="Eve.1").url == reverse("account_email_verification_sent")
    assert not signed_in(client)
    (mail,) = mails
    assert mail.to == ["eve@example.org"]
    assert try_password(Client(), PASSWORD, "Eve.1").url == reverse("account_email_verification_sent")
    fresh = Client()
    assert "<form" in fresh.get(link_in(mail)).content.decode()
    assert try_password(Client(), PASSWORD, "Eve.1").url != "/manage/account/", "opening is not confirming"
    fresh.post(link_in(mail))
    assert try_password(Client(), PASSWORD, "Eve.1").url == "/manage/account/"
    assert {tags.ACCOUNT_CREATED, tags.EMAIL_CONFIRMED} <= set(Event.objects.values_list("tag", flat=True))


@pytest.mark.usefixtures("_open")
def test_a_known_address_is_not_told_to_who_registers(alice: User, mails: list[Any]) -> None:
    known = register(Client(), email="Alice@example.org")
    unknown = register(Client(), username="mallory", email="mallory@example.org")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert not User.objects.filter(username="eve").exists()
    assert [mail.to for mail in mails] == [["alice@example.org"], ["mallory@example.org"]]
    assert "no other was made" in mails[0].body


@pytest.mark.usefixtures("_open")
@pytest.mark.parametrize(
    "facts",
    [
        {"username": "ALICE"},
        {"username": "alice@example.org"},
        {"username": "é"},
        {"password1": "elevenchars"},
        {"password1": "password1234"},
        {"password1": "x" * 4097},
        {"email": "nonsense"},
        {"email": "eve@example.org\nBcc: x@example.org"},
    ],
)
def test_what_cannot_be_registered(
    client: Client, alice: User, mails: list[Any], facts: dict[str, str]
) -> None:
    answer = register(client, **facts)
    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()
    assert User.objects.count() == 1
    assert mails == []


@pytest.mark.usefixtures("_open")
def test_registering_is_limited(client: Client) -> None:
    for number in range(20):
        assert register(Client(), username=f"eve{number}", email="nonsense").status_code == 200
    assert register(Client()).status_code == 429
    assert not User.objects.exists()


def test_signing_in_tidies_up(client: Client, alice: User, fake_clock: Any) -> None:
    for number in range(3):
        try_password(Client(), login=f"user{number}")
        Client().get(LOGIN)
    totp.use_code(alice.pk, "GEZDGNBV", totp.code_of("GEZDGNBV", 120), at=datetime(1970, 1, 1, 1, tzinfo=UTC))
    stale = SessionStore()
    stale["a"] = 1
    stale.save()
    assert (Attempts.objects.count() > 3, Session.objects.count(), OneTimeMark.objects.count()) == (
        True,
        1,
        1,
    )
    fake_clock.move(timedelta(hours=12))
    try_password(client, PASSWORD)
    assert Session.objects.count() == 1
    assert OneTimeMark.objects.count() == 0
    assert not Attempts.objects.filter(ends_at_us__lte=microseconds(fake_clock.now())).exists()
