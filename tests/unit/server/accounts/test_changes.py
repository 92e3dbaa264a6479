"""Changing and resetting the password, and e-mail addresses: who is told, what ends, what is recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from sealstead.server.accounts.email import has_verified_email
from sealstead.server.accounts.models import Session, User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock", "_public_url")]

PASSWORD = "correct horse battery"
NEW = "staple battery horse"
RESET = "/account/password/reset/"


@pytest.fixture
def _public_url(settings: Any, fake_clock: Any) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, public_url="https://index.example.org")


@pytest.fixture
def client(alice: User) -> Client:
    return enter()


def enter(password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/account/login/", {"login": "alice", "password": password})
    return client


def inside(client: Client) -> bool:
    return client.get("/manage/account/").status_code == 200


def link_in(mail: Any) -> str:
    found = re.search(r"https://index\.example\.org(/account/\S+)", mail.body)
    assert found
    return found[1]


def tags_since_sign_in() -> list[str]:
    return [
        tag for tag in Event.objects.order_by("id").values_list("tag", flat=True) if tag != tags.SIGNED_IN
    ]


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str = "") -> Any:
    facts = {"oldpassword": old, "password1": new, "password2": again or new}
    return client.post("/account/password/change/", facts)


def test_a_new_password_ends_other_sessions_and_is_told(client: Client, mails: list[Any]) -> None:
    other = enter()
    assert change(client).status_code == 302
    assert Session.objects.filter(user__username="alice").count() == 1, "the rows go too"
    assert inside(client)
    assert not inside(other)
    assert not inside(enter(PASSWORD))
    assert inside(enter(NEW))
    assert [mail.subject for mail in mails] == ["Your password was changed"]
    assert "from 127.0.0.1" in mails[0].body
    assert "https://index.example.org/manage/account/" in mails[0].body
    assert tags_since_sign_in()[0] == tags.PASSWORD_CHANGED


@pytest.mark.parametrize(
    "bad",
    [
        {"old": "wrong horse"},
        {"new": "elevenchars"},
        {"new": "password1234"},
        {"new": "alice@example.org"},
        {"again": "staple battery house"},
    ],
)
def test_what_is_not_changed(client: Client, mails: list[Any], bad: dict[str, str]) -> None:
    other = enter()
    assert change(client, **bad).status_code == 200
    assert inside(other)
    assert inside(enter(PASSWORD))
    assert mails == []


def test_the_rules_are_on_the_form(client: Client) -> None:
    page = client.get("/account/password/change/").content.decode()
    assert "at least 12 characters" in page


def test_guessing_the_current_password_is_limited(client: Client) -> None:
    statuses = [change(client, old="wrong horse").status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert change(client).status_code == 429
    assert Event.objects.filter(code="wrong-password").count() == 20


def test_resetting_with_a_mailed_link(client: Client, mails: list[Any]) -> None:
    answer = Client().post(RESET, {"email": "Alice@example.org"}, headers={"Host": "localhost"})
    assert answer.url == reverse("account_reset_password_done")  # type: ignore[attr-defined]
    (mail,) = mails
    assert mail.to == ["alice@example.org"]
    visitor = Client()
    form = visitor.get(link_in(mail), follow=True)
    assert "set-password" in form.redirect_chain[-1][0], "the link's key leaves the address bar"
    done = visitor.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert done.status_code == 302
    assert not inside(visitor), "a mailbox is not a sign-in"
    assert not inside(client)
    assert not Session.objects.filter(user__username="alice").exists()
    assert inside(enter(NEW))
    assert [mail.subject for mail in mails] == ["Choose a new password", "Your password was changed"]
    assert Event.objects.get(tag=tags.PASSWORD_CHANGED).details == {"by": "mailed link"}
    used = Client().get(link_in(mail), follow=True).content.decode()
    assert "password1" not in used


def test_a_reset_link_ends_when_the_password_changes_otherwise(client: Client, mails: list[Any]) -> None:
    Client().post(RESET, {"email": "alice@example.org"})
    change(client)
    page = Client().get(link_in(mails[0]), follow=True).content.decode()
    assert "password1" not in page


def test_a_forged_host_does_not_get_into_the_link(alice: User, mails: list[Any]) -> None:
    Client().post(RESET, {"email": "alice@example.org"}, headers={"X-Forwarded-Host": "evil.example"})
    answer = Client().post(RESET, {"email": "alice@example.org"}, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    (mail,) = mails
    assert "evil.example" not in mail.body  # the key in the link may hold any letters


def test_an_unknown_address_is_answered_alike_and_not_mailed(alice: User, mails: list[Any]) -> None:
    known = Client().post(RESET, {"email": "alice@example.org"})
    unknown = Client().post(RESET, {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)  # type: ignore[attr-defined]
    assert [mail.to for mail in mails] == [["alice@example.org"]]


def test_a_disabled_account_gets_no_link(alice: User, mails: list[Any]) -> None:
    User.objects.update(is_active=False)
    Client().post(RESET, {"email": "alice@example.org"})
    assert mails == []


@pytest.mark.parametrize("address", ["alice@example.org", "nobody@example.org"])
def test_asking_for_links_is_limited(alice: User, mails: list[Any], address: str) -> None:
    statuses = [Client().post(RESET, {"email": address}).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]
    assert len(mails) <= 5


def test_asking_for_links_of_many_addresses_is_limited(alice: User) -> None:
    statuses = [Client().post(RESET, {"email": f"u{n}@example.org"}).status_code for n in range(21)]
    assert statuses == [302] * 20 + [429]


def add(client: Client, email: str = "new@example.org") -> Any:
    return client.post("/account/email/", {"email": email, "action_add": ""})


def act(client: Client, action: str, email: str = "new@example.org") -> Any:
    return client.post("/account/email/", {"email": email, f"action_{action}": ""})


def test_adding_making_primary_and_removing_an_address(client: Client, alice: User, mails: list[Any]) -> None:
    add(client)
    to_new, to_old = sorted(mails, key=lambda mail: mail.to, reverse=True)
    assert (to_new.to, to_old.to) == (["new@example.org"], ["alice@example.org"])
    assert to_old.subject == "An e-mail address was added"
    act(client, "primary")
    assert EmailAddress.objects.get_primary_email(alice) == "alice@example.org", "not confirmed"
    Client().post(link_in(to_new))
    mails.clear()
    act(client, "primary")
    alice.refresh_from_db()
    assert alice.email == EmailAddress.objects.get_primary_email(alice) == "new@example.org"
    assert sorted(mail.to[0] for mail in mails) == ["alice@example.org", "new@example.org"]
    assert {mail.subject for mail in mails} == {"Your primary e-mail address was changed"}
    mails.clear()
    act(client, "remove", "alice@example.org")
    assert sorted(mail.to[0] for mail in mails) == ["alice@example.org", "new@example.org"]
    assert {mail.subject for mail in mails} == {"An e-mail address was removed"}
    assert tags_since_sign_in() == [
        tags.EMAIL_ADDED,
        tags.EMAIL_CONFIRMED,
        tags.EMAIL_CHANGED,
        tags.EMAIL_REMOVED,
    ]


def test_the_primary_address_stays(client: Client, alice: User, mails: list[Any]) -> None:
    add(client)
    act(client, "remove", "alice@example.org")
    assert EmailAddress.objects.filter(user=alice, email="alice@example.org", primary=True).exists()


def test_somebody_elses_address_is_not_told(client: Client, alice: User, mails: list[Any]) -> None:
    from sealstead.server.accounts.create import create_user

    create_user(username="bob", email="bob@example.org", password=PASSWORD)
    taken = add(client, "bob@example.org")
    free = add(client, "free@example.org")
    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    confirm = next(mail for mail in mails if mail.to == ["bob@example.org"])
    Client().post(link_in(confirm))
    assert not EmailAddress.objects.filter(user=alice, email="bob@example.org", verified=True).exists()


def test_changing_addresses_asks_again_who_is_there(client: Client, alice: User, fake_clock: Any) -> None:
    fake_clock.move(timedelta(minutes=30))
    answer = add(client)
    assert "reauthenticate" in answer.url
    assert not EmailAddress.objects.filter(email="new@example.org").exists()


def test_adding_addresses_is_limited(client: Client) -> None:
    statuses = [add(client, f"a{n}@example.org").status_code for n in range(11)]
    assert statuses[-1] == 429
    assert EmailAddress.objects.count() <= 11


def test_only_a_verified_primary_address_counts(alice: User) -> None:
    assert has_verified_email(alice)
    EmailAddress.objects.create(user=alice, email="second@example.org", verified=True)
    EmailAddress.objects.filter(primary=True).update(verified=False)
    assert not has_verified_email(alice)


def test_signing_out_everywhere_else(client: Client) -> None:
    other = enter()
    answer = client.post(reverse("manage_account_sign_out_elsewhere"))
    assert answer.status_code == 302
    assert inside(client)
    assert not inside(other)


def test_name_and_language(client: Client, alice: User) -> None:
    client.post("/manage/account/", {"first_name": "Ali", "last_name": "Ce", "language": "de"})
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name, alice.language) == ("Ali", "Ce", "de")
    bad = client.post("/manage/account/", {"first_name": "X" * 151, "language": "xx"})
    assert bad.status_code == 200
    alice.refresh_from_db()
    assert (alice.first_name, alice.language) == ("Ali", "de")
