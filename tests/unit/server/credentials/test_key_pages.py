"""The pages of API keys through Django's own client."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.api_keys import SIGNER, bearer
from tests.api_keys import issue_key as issue_one
from tests.fakes.clock import FakeClock
from tests.rows import make_user
from tests.tokens import ORIGIN, issue_token

from sealstead.errors import SealsteadError
from sealstead.server.accounts.models import User
from sealstead.server.credentials.api_keys import judge_api_key, write_key_uses
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_clock")]

KEY = re.compile(r"seal_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")
ADD = "/manage/account/key/"
LIST = "/manage/account/"


@pytest.fixture
def ada() -> User:
    return make_user("ada")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def row(ada: User, fake_clock: FakeClock) -> Credential:
    return own_key(ada, fake_clock)[0]


def own_key(owner: User, clock: FakeClock, **facts: Any) -> Any:
    now = clock.now()
    return issue_one(**{"owner": owner, "at": now, "expires_at": now + timedelta(days=30)} | facts)


def form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "ci",
        "roles": ["Standard"],
        "expiry": "90",
        "expires_on": "",
        "labels": "",
        "networks": "",
        "rate": "",
    } | fields


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def accepted(key: str, clock: FakeClock) -> bool:
    try:
        judge_api_key(bearer(key), at=clock.now(), origin=SIGNER)
    except SealsteadError:
        return False
    return True


def page_of(row: Credential, what: str = "", kind: str = "token") -> str:
    return f"/manage/account/{kind}/{row.pk}/{what}"


def test_a_key_is_shown_once_and_no_cache_keeps_it(client: Client, fake_clock: FakeClock) -> None:
    answer = client.post(
        ADD,
        form(
            roles=["Standard", "ApiKeyRotator"],
            labels="Production\n Staging ",
            networks="192.0.2.0/24, 2001:db8::/32",
            rate="60/m",
        ),
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (key,) = set(KEY.findall(text_of(answer)))
    assert "This key will only appear once. Copy it now." in text_of(answer)
    assert "SignotaurTool auth set-key --from-stdin" in text_of(answer)
    row = Credential.objects.get()
    assert row.scope == {
        "roles": ["ApiKeyRotator", "Standard"],
        "labels": ["Production", "Staging"],
        "networks": ["192.0.2.0/24", "2001:db8::/32"],
        "rate": "60/m",
    }
    assert accepted(key, fake_clock)
    for url in (LIST, page_of(row)):
        later = text_of(client.get(url))
        assert not KEY.search(later)
        assert "ApiKeyRotator" in later
    assert row.handle in text_of(client.get(page_of(row)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Specify a name"),
        ({"name": "a\u200bb"}, "Use visible characters only"),
        ({"roles": []}, "Choose at least one role"),
        ({"roles": ["Admin"]}, "Select a valid choice"),
        ({"expiry": ""}, "Choose when it expires"),
        ({"networks": "192.0.2.0/24\nnonsense"}, "This is not a network: nonsense"),
        ({"rate": "lots"}, "Write for example 60/m"),
        ({"labels": "x" * 101}, "up to 100 visible characters"),
        ({"name": "taken"}, "You have a key of this name."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    client: Client, ada: User, fake_clock: FakeClock, fields: dict[str, Any], message: str
) -> None:
    own_key(ada, fake_clock, name="taken")
    answer = client.post(ADD, form(**fields))
    assert answer.status_code in {400, 409}
    assert message in text_of(answer)
    assert not KEY.search(text_of(answer))
    assert Credential.objects.count() == 1


def test_tokens_and_keys_stand_on_one_list(client: Client, ada: User, fake_clock: FakeClock) -> None:
    key, _ = own_key(ada, fake_clock, name="signer", labels=["Production"])
    issue_token(owner=ada, name="uploader", at=fake_clock.now(), expires_at=None)
    page = text_of(client.get(LIST))
    for text in ("signer", "uploader", "Signing API key", "Upload token", "Production"):
        assert text in page
    found = text_of(client.get(LIST, {"token_q": key.handle}))
    assert "signer" in found
    assert "uploader" not in found


def test_who_is_to_end_a_replaced_key_and_since_when_stands_beside_its_state(
    client: Client, row: Credential, fake_clock: FakeClock
) -> None:
    for moved, words in (
        (timedelta(microseconds=1), r"being replaced +to be ended by hand until"),
        (timedelta(0), r"to be ended by hand +since"),
    ):
        Credential.objects.filter(pk=row.pk).update(overdue_at=fake_clock.now() + moved)
        state = text_of(client.get(page_of(row))).partition("<dt>State</dt>")[2]
        assert re.match(words, re.sub(r"<[^>]+>", " ", state).strip())


def test_disabling_and_enabling(client: Client, ada: User, fake_clock: FakeClock) -> None:
    row, text = own_key(ada, fake_clock)
    key = text.reveal()
    page = text_of(client.post(page_of(row, "switch/", "key"), follow=True))
    assert "is refused until you enable it again." in page
    assert ">Enable</button>" in page
    assert not accepted(key, fake_clock)
    assert "This key is disabled: enable it first." in text_of(client.get(page_of(row, "rotate/")))
    page = text_of(client.post(page_of(row, "switch/", "key"), {"enabled": "yes"}, follow=True))
    assert "is accepted again." in page
    assert accepted(key, fake_clock)


def test_regenerating_shows_a_new_key_and_ends_the_old_one(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row, old = own_key(ada, fake_clock)
    url = page_of(row, "regenerate/", "key")
    assert client.post(url, {"expiry": "custom"}).status_code == 400
    assert accepted(old.reveal(), fake_clock)
    answer = client.post(url, {"expiry": "365"})
    (key,) = set(KEY.findall(text_of(answer)))
    assert (accepted(old.reveal(), fake_clock), accepted(key, fake_clock)) == (False, True)
    assert client.post(url, {"expiry": "365"}).status_code == 409
    assert "This key is revoked" in text_of(client.get(url))


def test_rotating_on_the_page_and_where_the_old_key_is_still_used(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row, old = own_key(ada, fake_clock)
    answer = client.post(page_of(row, "rotate/"), {"overlap": "7", "idempotency_key": "form"})
    (key,) = set(KEY.findall(text_of(answer)))
    again = client.post(page_of(row, "rotate/"), {"overlap": "7", "idempotency_key": "form"})
    assert set(KEY.findall(text_of(again))) == {key}, "a double click"
    grant = judge_api_key(bearer(old), at=fake_clock.now(), origin=SIGNER)
    write_key_uses([grant.use(SIGNER)])
    new = Credential.objects.get(predecessor=row)
    page = text_of(client.get(page_of(new)))
    assert "Uses of the old key since the rotation" in page
    assert "192.0.2.9" in page.split("Uses of the old key since the rotation")[1]
    fake_clock.move(timedelta(days=8))
    client.force_login(ada)
    page = text_of(client.get(page_of(row)))
    assert "revoked automatically by rotation" in page
    assert "revoked automatically by rotation" in text_of(client.get(LIST, {"token_state": "ended"}))


def test_deleting_asks_first_and_takes_it_off_the_list(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row, text = own_key(ada, fake_clock)
    client.post(page_of(row, "rotate/"), {"overlap": "7", "idempotency_key": "form"})
    new = Credential.objects.get(predecessor=row)
    page = text_of(client.get(page_of(row, "delete/")))
    assert f"What was made from it by rotation stays: {new.handle}" in page
    assert accepted(text.reveal(), fake_clock)
    client.post(page_of(row, "delete/"))
    assert not accepted(text.reveal(), fake_clock)
    assert client.get(page_of(row)).status_code == 404
    page = text_of(client.get(page_of(new)))
    assert f"<code>{row.handle}</code>" in page
    assert page_of(row) not in page


def test_cleaning_up_counts_and_takes_what_is_ticked(
    client: Client, ada: User, fake_clock: FakeClock, row: Credential
) -> None:
    url = "/manage/account/token/clean-up/"
    assert "Nothing has ended." in text_of(client.get(url))
    assert "Clean up" not in text_of(client.get(LIST))
    revoke(row, actor=ada, at=fake_clock.now(), origin=ORIGIN)
    own_key(ada, fake_clock, name="short", expires_at=fake_clock.now() + timedelta(hours=1))
    fake_clock.move(timedelta(hours=2))
    client.force_login(ada)
    page = text_of(client.get(url))
    assert ("Expired (1)" in page, "Revoked (1)" in page, "Replaced" in page) == (True, True, False)
    assert f'href="{url}"' in text_of(client.get(LIST))
    assert client.post(url, {}).status_code == 400
    assert "1 is deleted." in text_of(client.post(url, {"chosen": "expired"}, follow=True))
    assert set(Credential.objects.filter(removed_at=None)) == {row}


def test_somebody_elses_key_is_like_none(client: Client, fake_clock: FakeClock) -> None:
    row, text = own_key(make_user("mallory"), fake_clock)
    for kind, what in (
        ("key", "regenerate/"),
        ("key", "switch/"),
        ("token", "delete/"),
        ("token", "rotate/"),
    ):
        assert client.post(page_of(row, what, kind), {"expiry": "90"}).status_code == 404
    assert accepted(text.reveal(), fake_clock)


def test_a_token_is_neither_regenerated_nor_disabled(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row, _ = issue_token(owner=ada, at=fake_clock.now(), expires_at=None)
    assert client.post(page_of(row, "regenerate/", "key"), {"expiry": "90"}).status_code == 404
    assert client.post(page_of(row, "switch/", "key")).status_code == 404
