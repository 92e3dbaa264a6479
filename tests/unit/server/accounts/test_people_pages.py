"""The pages on which administrators look after accounts, through Django's own client."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.fakes.clock import FakeClock
from tests.rows import make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

USERS = "/manage/server/users/"
OWN_PASSWORD = "a password of my own"


@pytest.fixture
def boss() -> User:
    return make_user("boss", is_superuser=True, is_staff=True)


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def password_on(answer: Any) -> str:
    found = re.search(r'id="password-text"[^>]*>([^<]+)<', answer.content.decode())
    assert found
    return found.group(1)


def sign_in(login: str, password: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(reverse("account_login"), {"login": login, "password": password}, follow=True)


def rows_of(answer: Any) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*><bdi>([^<]*)</bdi>', answer.content.decode())


@pytest.mark.parametrize(
    "path", ["", "add/", "{pk}/", "{pk}/disable/", "{pk}/reset-password/", "{pk}/delete/"]
)
def test_for_others_the_pages_do_not_exist(path: str, boss: User) -> None:
    client = Client()
    address = USERS + path.format(pk=boss.pk)
    assert client.get(address).status_code == 302
    client.force_login(make_user("bob"))
    for answer in (client.get(address), client.post(address, {"confirm": "boss"})):
        assert answer.status_code == 404
    boss.refresh_from_db()
    assert boss.is_active


def test_an_old_sign_in_is_asked_again(client: Client, fake_clock: FakeClock) -> None:
    fake_clock.move(timedelta(minutes=31))
    answer = client.get(USERS)
    assert answer.status_code == 302
    assert reverse("account_reauthenticate") in answer["Location"]


def test_the_list_is_searched_and_sorted(client: Client) -> None:
    make_user("ada", first_name="Ada", last_name="Lovelace")
    make_user("carl", first_name="Zeno", is_active=False)
    assert rows_of(client.get(USERS)) == ["ada", "boss", "carl"]
    assert rows_of(client.get(USERS + "?sort=-username")) == ["carl", "boss", "ada"]
    assert rows_of(client.get(USERS + "?sort=-name"))[:2] == ["carl", "ada"]
    for query in ("LOVE", "ada lovelace", "ada@example", "ad"):
        assert rows_of(client.get(USERS, {"q": query})) == ["ada"], query
    assert rows_of(client.get(USERS, {"q": "nobody\0"})) == []
    assert rows_of(client.get(USERS, {"state": "disabled"})) == ["carl"]
    assert rows_of(client.get(USERS, {"state": "administrators"})) == ["boss"]
    # What nobody offers shows everybody.
    assert len(rows_of(client.get(USERS, {"state": "x", "sort": "password", "page": "-1"}))) == 3


def test_a_new_user_must_choose_a_password_first(client: Client) -> None:
    answer = client.post(
        USERS + "add/", {"username": "carol", "email": "carol@example.org", "first_name": "Carol"}
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    password = password_on(answer)
    user = User.objects.get(username="carol")
    assert password not in text_of(client.get(f"{USERS}{user.pk}/"))

    visitor, answer = sign_in("carol", password)
    assert answer.redirect_chain[-1][0] == reverse("account_change_password")
    for page in ("/manage/account/", "/manage/projects/", "/manage/account/token/"):
        assert visitor.get(page)["Location"] == reverse("account_change_password")
    change = reverse("account_change_password")
    again = visitor.post(change, {"oldpassword": password, "password1": password, "password2": password})
    assert "another password than the temporary one" in text_of(again)
    visitor.post(change, {"oldpassword": password, "password1": OWN_PASSWORD, "password2": OWN_PASSWORD})
    assert visitor.get("/manage/account/").status_code == 200
    user.refresh_from_db()
    assert user.temporary_password_until is None
    assert sign_in("carol", password)[1].redirect_chain == []


def test_after_twelve_hours_the_temporary_password_opens_nothing(
    client: Client, fake_clock: FakeClock
) -> None:
    password = password_on(client.post(USERS + "add/", {"username": "carol", "email": "carol@example.org"}))
    fake_clock.move(timedelta(hours=11, minutes=59))
    inside, answer = sign_in("carol", password)
    assert answer.redirect_chain[-1][0] == reverse("account_change_password")
    fake_clock.move(timedelta(minutes=1))
    # Neither at the door nor for whoever is in: not even to change it.
    late, answer = sign_in("carol", password)
    assert "temporary password is over" in text_of(answer)
    assert late.get("/manage/account/").status_code == 302
    assert Event.objects.filter(tag=tags.SIGN_IN_REFUSED, code="temporary-password-over").count() == 1
    change = {"oldpassword": password, "password1": OWN_PASSWORD, "password2": OWN_PASSWORD}
    assert inside.post(reverse("account_change_password"), change)["Location"] == reverse("account_login")
    user = User.objects.get(username="carol")
    assert user.check_password(password)
    assert user.temporary_password_until is not None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"username": "-carol"}, "Use letters, digits"),
        ({"username": "BOSS"}, "This user name is taken"),
        ({"email": "boss@example.org"}, "Another account has this e-mail address"),
        ({"email": "carol"}, "valid email"),
        ({"username": ""}, "required"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(client: Client, fields: dict[str, str], message: str) -> None:
    answer = client.post(USERS + "add/", {"username": "carol", "email": "carol@example.org"} | fields)
    assert answer.status_code == 400
    assert message in text_of(answer)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "column", "value"),
    [("disable", "is_active", False), ("appoint", "is_superuser", True)],
)
def test_a_change_is_asked_about_first(client: Client, action: str, column: str, value: bool) -> None:
    bob = make_user("bob")
    address = f"{USERS}{bob.pk}/{action}/"
    assert "bob" in text_of(client.get(address))
    assert getattr(User.objects.get(pk=bob.pk), column) is not value
    assert client.post(address)["Location"] == f"{USERS}{bob.pk}/"
    assert getattr(User.objects.get(pk=bob.pk), column) is value


def test_deleting_asks_for_the_name(client: Client) -> None:
    bob = make_user("bob")
    address = f"{USERS}{bob.pk}/delete/"
    for wrong in ("", "Bob", "boss"):
        assert client.post(address, {"confirm": wrong}).status_code == 400
    assert User.objects.filter(pk=bob.pk).exists()
    assert client.post(address, {"confirm": "bob"})["Location"] == USERS
    assert not User.objects.filter(pk=bob.pk).exists()
    assert client.get(f"{USERS}{bob.pk}/").status_code == 404


def test_what_is_refused_is_said_and_changes_nothing(client: Client, boss: User) -> None:
    answer = client.post(f"{USERS}{boss.pk}/disable/", follow=True)
    assert "This is your own account" in text_of(answer)
    assert client.post(f"{USERS}{boss.pk}/no-such-action/").status_code == 404
    assert User.objects.get(pk=boss.pk).is_active


def test_names_and_address_are_edited(client: Client) -> None:
    bob = make_user("bob")
    address = f"{USERS}{bob.pk}/"
    form = {"first_name": "Robert", "last_name": "Bauer", "email": "robert@example.org"}
    assert client.post(address, form)["Location"] == address
    page = text_of(client.get(address))
    assert 'value="Robert"' in page
    assert 'value="robert@example.org"' in page
    assert client.post(address, form | {"email": "boss@example.org"}).status_code == 400
    bob.refresh_from_db()
    assert bob.email == "robert@example.org"
