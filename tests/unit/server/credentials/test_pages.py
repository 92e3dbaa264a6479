"""The token pages through Django's own client."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from tests.fakes.clock import FakeClock
from tests.rows import make_project, make_user
from tests.tokens import ORIGIN, issue_token

from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.tokens import MAX_TOKEN_CHARS
from sealstead.server.index.models import Project

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_clock")]

TOKEN = re.compile(r"pypi-[A-Za-z0-9_-]{80,}")
ADD = "/manage/account/token/"
LIST = "/manage/account/"


@pytest.fixture
def ada() -> User:
    return make_user("ada")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def form(**fields: Any) -> dict[str, Any]:
    return {"name": "ci", "scope": "all", "expiry": "90", "new_project": "", "expires_on": ""} | fields


def own_token(owner: User, clock: FakeClock, **facts: Any) -> Credential:
    now = clock.now()
    return issue_token(**{"owner": owner, "at": now, "expires_at": now + timedelta(days=30)} | facts)[0]


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_the_section_has_its_button_and_an_empty_list(client: Client) -> None:
    page = text_of(client.get(LIST))
    assert '<h2 id="api-tokens-title">API tokens and keys</h2>' in page
    assert f'href="{ADD}">Add API token</a>' in page


def test_the_answer_shows_the_token_once_and_no_cache_keeps_it(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    project = make_project("chrome", owner=ada)
    answer = client.post(ADD, form(scope="projects", projects=["chrome"]))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    page = text_of(answer)
    (token,) = set(TOKEN.findall(page))
    assert "This token will only appear once. Copy it now." in page
    assert "username = __token__" in page
    assert "/legacy/" in page
    row = Credential.objects.get()
    assert row.scope == {"projects": {"chrome": str(project.pk)}}
    assert row.expires_at == (fake_clock.now() + timedelta(days=90)).replace(microsecond=0)
    grant = judge_upload_token(Secret(token), at=fake_clock.now(), origin=ORIGIN)
    grant.require_project("chrome", project.pk)
    for url in (LIST, f"{ADD}{row.pk}/"):
        later = client.get(url)
        assert not TOKEN.search(text_of(later))
        assert str(row.pk) in text_of(later)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Specify a token name"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\u200bb"}, "Use visible characters only"),
        ({"scope": ""}, "Specify the token scope"),
        ({"scope": "projects"}, "Pick at least one project"),
        ({"scope": "projects", "projects": ["not-mine"]}, "Unknown or invalid project name: not-mine"),
        ({"scope": "all", "projects": ["chrome"]}, "choose one of the two"),
        ({"scope": "user"}, "Select a valid choice"),
        ({"expiry": ""}, "Choose when it expires"),
        ({"expiry": "custom"}, "Pick the last day"),
        ({"expiry": "custom", "expires_on": "2020-01-01"}, "The expiry must be in the future"),
        ({"expiry": "custom", "expires_on": "soon"}, "valid date"),
        ({"scope": "projects", "new_project": "json"}, "isn't allowed"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    client: Client, ada: User, fields: dict[str, Any], message: str
) -> None:
    make_project("chrome", owner=ada)
    make_project("not-mine", owner=make_user())
    answer = client.post(ADD, form(**fields))
    assert answer.status_code == 400
    assert message in text_of(answer)
    assert not TOKEN.search(text_of(answer))
    assert not Credential.objects.exists()
    assert Project.objects.count() == 2


def test_a_double_submit_makes_one_token_and_says_so(client: Client) -> None:
    assert client.post(ADD, form()).status_code == 200
    answer = client.post(ADD, form())
    assert answer.status_code == 409
    assert "API token name already in use" in text_of(answer)
    assert Credential.objects.count() == 1


def test_a_name_in_use_reserves_no_project(client: Client) -> None:
    client.post(ADD, form())
    answer = client.post(ADD, form(scope="projects", new_project="unborn"))
    assert answer.status_code == 409
    assert not Project.objects.exists()


def test_a_project_that_does_not_exist_yet(client: Client, ada: User) -> None:
    answer = client.post(ADD, form(scope="", new_project="Un.born"))
    assert answer.status_code == 200
    project = Project.objects.get()
    assert (project.normalized_name, project.members.get()) == ("un-born", ada)
    assert Credential.objects.get().scope == {"projects": {"un-born": str(project.pk)}}


def test_a_project_preselected(client: Client, ada: User) -> None:
    make_project("chrome", owner=ada)
    make_project("steel", owner=ada)
    page = text_of(client.get(ADD + "?selected_project=chrome"))
    assert 'value="projects" checked' in page
    assert re.search(r'value="chrome"\s+checked', page)
    assert not re.search(r'value="steel"\s+checked', page)
    # And no scope is chosen for anybody who did not say so, foreign projects included.
    make_project("foreign", owner=make_user())
    page = text_of(client.get(ADD + "?selected_project=foreign"))
    assert 'value="projects" checked' not in page
    assert 'value="all" checked' not in page
    assert 'value="foreign"' not in page


def test_a_custom_day_counts_whole(client: Client, fake_clock: FakeClock) -> None:
    day = (fake_clock.now() + timedelta(days=10)).date()
    client.post(ADD, form(expiry="custom", expires_on=day.isoformat()))
    row = Credential.objects.get()
    assert row.expires_at is not None
    assert row.expires_at.date() == day + timedelta(days=1)
    assert (row.expires_at.hour, row.expires_at.minute, row.expires_at.second) == (0, 0, 0)


def test_policy_decides_what_is_offered(client: Client, settings: Any) -> None:
    from dataclasses import replace

    settings.SEALSTEAD = replace(settings.SEALSTEAD, longest_life=timedelta(days=60))
    page = text_of(client.get(ADD))
    assert re.findall(r'name="expiry" value="(\w+)"', page) == ["30", "60", "custom"]
    assert client.post(ADD, form(expiry="never")).status_code == 400
    assert not Credential.objects.exists()


def test_an_address_must_be_verified_first(client: Client, ada: User) -> None:
    EmailAddress.objects.filter(user=ada).update(verified=False)
    answer = client.get(ADD)
    assert "Verify your email to create an API token." in text_of(answer)
    assert client.post(ADD, form()).status_code == 403
    assert not Credential.objects.exists()


def pages_of(row: Credential) -> list[str]:
    return [reverse(name, args=[row.pk]) for name in ("token_details", "token_rotate", "token_revoke")]


def test_foreign_tokens_answer_like_unknown_ones(client: Client, fake_clock: FakeClock) -> None:
    row = own_token(make_user(), fake_clock)
    for url in pages_of(row):
        unknown = url.replace(str(row.pk), str(uuid4()))
        for method in (client.get, client.post):
            foreign, none = method(url), method(unknown)
            assert foreign.status_code == none.status_code
            assert foreign.status_code in {404, 405}
            assert foreign.content.replace(str(row.pk).encode(), b"") == none.content.replace(
                unknown.split("/")[4].encode(), b""
            )
    row.refresh_from_db()
    assert (row.revoked_at, row.retires_at, Credential.objects.count()) == (None, None, 1)


def test_visitors_are_asked_to_sign_in(ada: User, fake_clock: FakeClock) -> None:
    row = own_token(ada, fake_clock)
    for url in [ADD, *pages_of(row)]:
        for method in (Client().get, Client().post):
            answer = method(url)
            assert answer.status_code == 302
            assert "/login/" in answer["Location"]
    assert Credential.objects.count() == 1


def test_an_old_sign_in_is_asked_again(client: Client, ada: User, fake_clock: FakeClock) -> None:
    row = own_token(ada, fake_clock)
    fake_clock.move(timedelta(minutes=30))
    for url in [ADD, *pages_of(row)]:
        answer = client.post(url)
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
    row.refresh_from_db()
    assert row.revoked_at is None


def test_rotation_shows_the_successor_once_and_both_are_listed(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row = own_token(ada, fake_clock)
    page = text_of(client.get(f"{ADD}{row.pk}/rotate/"))
    assert re.search(r'name="overlap" value="7"\s+checked', page)
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key is not None
    answer = client.post(f"{ADD}{row.pk}/rotate/", {"overlap": "1", "idempotency_key": key[1]})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (token,) = set(TOKEN.findall(text_of(answer)))
    row.refresh_from_db()
    assert row.retires_at == fake_clock.now() + timedelta(days=1)
    judge_upload_token(Secret(token), at=fake_clock.now(), origin=ORIGIN)
    listing = text_of(client.get(LIST))
    assert "being replaced" in listing
    assert listing.count('<th scope="row">') == 2
    # A second rotation of the same token, now that its successor is in use.
    again = client.post(f"{ADD}{row.pk}/rotate/", {"overlap": "7", "idempotency_key": "other"})
    assert again.status_code == 409
    assert "was rotated before" in text_of(again)
    assert not TOKEN.search(text_of(again))


def test_a_double_click_on_rotate_shows_the_same_token(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row = own_token(ada, fake_clock)
    fields = {"overlap": "7", "idempotency_key": "one"}
    first, second = (text_of(client.post(f"{ADD}{row.pk}/rotate/", fields)) for _ in range(2))
    assert TOKEN.findall(first) == TOKEN.findall(second)
    assert Credential.objects.count() == 2


@pytest.mark.parametrize("overlap", ["", "-1", "2", "31", "x"])
def test_an_overlap_that_is_not_offered(
    client: Client, ada: User, fake_clock: FakeClock, overlap: str
) -> None:
    row = own_token(ada, fake_clock)
    answer = client.post(f"{ADD}{row.pk}/rotate/", {"overlap": overlap, "idempotency_key": "one"})
    assert answer.status_code == 400
    assert Credential.objects.count() == 1


def test_revocation_asks_first_and_says_what_ends(client: Client, ada: User, fake_clock: FakeClock) -> None:
    row = own_token(ada, fake_clock)
    client.post(f"{ADD}{row.pk}/rotate/", {"overlap": "7", "idempotency_key": "one"})
    successor = row.successors.get()
    page = text_of(client.get(f"{ADD}{row.pk}/revoke/"))
    assert str(successor.pk) in page
    assert not Credential.objects.exclude(revoked_at=None).exists()
    answer = client.post(f"{ADD}{row.pk}/revoke/", follow=True)
    assert answer.redirect_chain == [("/manage/account/#api-tokens", 302)]
    assert "those made from it are revoked" in text_of(answer)
    assert Credential.objects.exclude(revoked_at=None).count() == 2
    assert "You have no API tokens or keys in use." in text_of(answer)
    assert "Show 2 that have ended" in text_of(answer)
    assert "revoked" in text_of(client.get(LIST + "?token_state=ended"))


def test_revoking_one_link_alone(client: Client, ada: User, fake_clock: FakeClock) -> None:
    row = own_token(ada, fake_clock)
    client.post(f"{ADD}{row.pk}/rotate/", {"overlap": "7", "idempotency_key": "one"})
    client.post(f"{ADD}{row.pk}/revoke/", {"only_this": "yes"})
    assert Credential.objects.get(revoked_at=None).predecessor_id == row.pk


def test_details_tell_use_and_events(client: Client, ada: User, fake_clock: FakeClock) -> None:
    row = own_token(ada, fake_clock)
    assert "Never" in text_of(client.get(LIST))
    Credential.objects.filter(pk=row.pk).update(
        last_used_at=fake_clock.now(), last_used_ip="192.0.2.9", last_used_agent="twine/6", use_count=3
    )
    Event.objects.create(
        tag="upload-token:refused", at=fake_clock.now(), credential_id=row.pk, ip="203.0.113.9"
    )
    page = text_of(client.get(f"{ADD}{row.pk}/"))
    for fact in (str(row.pk), "192.0.2.9", "twine/6", "<dd>3</dd>", "Token issued"):
        assert fact in page
    # What strangers try with the id alone is not shown.
    assert "203.0.113.9" not in page


def test_five_hundred_tokens_stay_usable(
    client: Client, ada: User, fake_clock: FakeClock, django_assert_max_num_queries: Any
) -> None:
    now = fake_clock.now()
    rows = [
        Credential(
            id=(pk := uuid4()),
            kind="upload-token",
            owner=ada,
            name=f"ci-{number:03}",
            scope={"projects": {f"project-{number}": str(uuid4())}},
            line=pk,
            line_started_at=now,
            created_at=now + timedelta(seconds=number),
        )
        for number in range(500)
    ]
    Credential.objects.bulk_create(rows)
    with django_assert_max_num_queries(30):
        page = text_of(client.get(LIST))
    assert page.count('<th scope="row">') == 25
    assert "Page 1 of 20" in page
    assert "ci-499" in page
    assert "ci-000" in text_of(client.get(LIST + "?token_page=20"))
    for query in ("ci-123", "project-123", str(rows[123].pk)):
        found = text_of(client.get(LIST, {"token_q": query}))
        assert found.count('<th scope="row">') == 1
        assert "ci-123" in found
    assert "Nothing matches." in text_of(client.get(LIST, {"token_q": "nothing"}))
    for odd in ({"token_page": "x"}, {"token_page": "-1"}, {"token_page": "999"}, {"token_q": "\x00%_'\""}):
        assert client.get(LIST, odd).status_code == 200


def test_a_hundred_projects_are_offered(client: Client, ada: User) -> None:
    for number in range(100):
        make_project(f"project-{number:03}", owner=ada)
    page = text_of(client.get(ADD))
    assert page.count('name="projects"') == 100
    assert "choices--many" in page
    # Forty fit into a token that every proxy lets through, a hundred do not.
    names = [f"project-{number:03}" for number in range(100)]
    answer = client.post(ADD, form(scope="projects", projects=names))
    assert answer.status_code == 400
    assert "too many projects for one token" in text_of(answer)
    assert not Credential.objects.exists()
    answer = client.post(ADD, form(scope="projects", projects=names[:40]))
    assert answer.status_code == 200
    (token,) = set(TOKEN.findall(text_of(answer)))
    assert len(token) < MAX_TOKEN_CHARS


def test_a_project_one_has_is_picked_and_not_reserved_again(client: Client, ada: User) -> None:
    make_project("my-own", owner=ada)
    answer = client.post(ADD, form(name="", scope="projects", new_project="My.Own"))
    assert answer.status_code == 400
    page = text_of(answer)
    assert "You have this project already: pick it above." in page
    assert "Specify a token name" in page, "all fields are told of in one round"
    assert not Credential.objects.exists()
    assert Project.objects.count() == 1


def test_the_last_day_of_the_calendar_is_an_answer(client: Client) -> None:
    assert client.post(ADD, form(expiry="custom", expires_on="9999-12-31")).status_code == 200


def test_details_say_once_and_in_words_what_happened(
    client: Client, ada: User, fake_clock: FakeClock
) -> None:
    row = own_token(ada, fake_clock)
    Event.objects.create(
        tag="upload-token:refused",
        accepted=False,
        code="token-expired",
        at=fake_clock.now(),
        credential_id=row.pk,
        user_id=ada.pk,
        user_agent='uv/0.9.1 {"cpu":"x86_64"}',
    )
    page = text_of(client.get(f"{ADD}{row.pk}/"))
    assert "The token has expired." in page
    assert "uv/0.9.1" in page
    assert "x86_64" not in page
