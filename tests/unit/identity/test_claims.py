from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.web import Request, Web, answer, as_json, start_web

from sealstead.formats.profile_schema import Identity, Package, Profile, ProfileLink
from sealstead.identity.claims import FRESH, Cache, Found, ask_all, compare_package, questions
from sealstead.identity.provider_index import parse_roles, roles_question

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INDEX = "https://index.example"
SOCIAL = "https://social.example/@ada"
ADA = Profile(
    identity=Identity(pypi_username="ada"),
    packages=(Package(name="engine"), Package(name="notes_on.it")),
    profiles=(
        ProfileLink(kind="mastodon", label="", url=SOCIAL),
        ProfileLink(kind="website", label="", url="https://ada.example/"),
        ProfileLink(kind="linkedin", label="", url="https://www.linkedin.com/in/ada"),
        ProfileLink(kind="nonsense", label="", url="javascript:1"),
    ),
)
ROLES = """<?xml version='1.0'?>
<methodResponse><params><param><value><array><data>
<value><array><data><value><string>Owner</string></value><value><string>engine</string></value></data></array></value>
<value><array><data>
<value><string>Maintainer</string></value>
<value><string>notes-on-it</string></value>
</data></array></value>
</data></array></value></param></params></methodResponse>"""


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        web[f"{INDEX}/pypi"] = answer(ROLES, kind="text/xml")
        for name in ("engine", "notes_on.it"):
            web[f"{INDEX}/pypi/{name}/json"] = as_json({"info": {"summary": "It computes", "version": "1.0"}})
        web["https://social.example/api/v1/accounts/lookup?acct=ada"] = as_json(
            {"display_name": "Ada", "note": "<p>Hi</p>", "created_at": "2020", "followers": [1]}
        )
        yield web


def ask(web: Web, profile: Profile = ADA, kept: dict[str, Any] | None = None) -> Found:
    return ask_all(questions(profile, index=INDEX + "/"), web.pages(), kept or {}, jobs=4)


def statuses(found: Found) -> list[str]:
    return [compare_package(each, ADA, found)["status"] for each in ADA.packages]


def test_what_is_asked() -> None:
    assert [each.name for each in questions(ADA, index=INDEX)] == [
        "user ada",
        "package engine",
        "package notes_on.it",
        f"account {SOCIAL}",
    ]


def test_answers(web: Web) -> None:
    found = ask(web)
    assert found.failures == ()
    assert found.facts["user ada"] == [
        {"name": "engine", "role": "owner"},
        {"name": "notes-on-it", "role": "maintainer"},
    ]
    assert found.facts[f"account {SOCIAL}"] == {
        "provider": "mastodon",
        "url": SOCIAL,
        "name": "Ada",
        "about": "<p>Hi</p>",
        "made": "2020",
    }
    assert statuses(found) == ["confirmed", "confirmed"]
    assert compare_package(ADA.packages[0], ADA, found)["pypi_version"] == "1.0"


def test_owners_that_the_index_names_itself(web: Web) -> None:
    web[f"{INDEX}/pypi"] = answer(status=500)
    web[f"{INDEX}/pypi/engine/json"] = as_json(
        {"info": {"summary": ""}, "ownership": {"roles": [{"role": "Owner", "user": "Ada"}]}}
    )
    assert statuses(ask(web)) == ["confirmed", "unverified"]


def test_packages_of_somebody_else(web: Web) -> None:
    web[f"{INDEX}/pypi"] = answer(ROLES.replace("engine", "other"), kind="text/xml")
    assert statuses(ask(web)) == ["not_found", "confirmed"]


def test_packages_that_are_not_there(web: Web) -> None:
    del web.routes[f"{INDEX}/pypi/engine/json"]
    found = ask(web)
    assert found.failures == ()
    assert statuses(found)[0] == "not_found"


@pytest.mark.parametrize(
    "said",
    [
        answer(status=500),
        answer(status=403),
        answer("<html>"),
        as_json([]),
        as_json({"info": 7}),
        answer("x" * 3_000_000),
    ],
)
def test_failures_are_told_and_not_kept(said: bytes, web: Web, tmp_path: Path) -> None:
    web[f"{INDEX}/pypi/engine/json"] = said
    found = ask(web)
    assert [failure.name for failure in found.failures] == ["package engine"]
    assert statuses(found) == ["no_data", "confirmed"]
    cache = Cache(tmp_path / "cache" / "claims.json")
    cache.save(found.fresh, NOW)
    assert not any("engine" in key for key in cache.load(NOW))
    web[f"{INDEX}/pypi/engine/json"] = as_json({"info": {"summary": "back"}})
    assert statuses(ask(web, kept=cache.load(NOW))) == ["confirmed", "confirmed"]


@pytest.mark.parametrize("said", [answer("<methodResponse><fault/></methodResponse>"), answer("hello")])
def test_an_index_that_does_not_say_who_owns_what(said: bytes, web: Web) -> None:
    web[f"{INDEX}/pypi"] = said
    found = ask(web)
    assert [failure.name for failure in found.failures] == ["user ada"]
    assert statuses(found) == ["unverified", "unverified"]


def test_answers_are_kept_for_an_hour(web: Web, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache" / "claims.json")
    first = ask(web)
    cache.save(first.fresh, NOW)
    web.requests.clear()
    again = ask(web, kept=cache.load(NOW + FRESH - timedelta(seconds=1)))
    assert again.facts == first.facts
    assert (web.requests, again.kept, again.fresh) == ([], set(first.facts), {})
    assert cache.load(NOW + FRESH) == {}
    assert cache.load(NOW - timedelta(seconds=1)) == {}, "the clock was moved back"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"[]",
        b'{"answers": []}',
        b'{"answers": {"a": {"at": "x"}}}',
        b'{"answers": {"a": {"at": 1e30, "value": 1}}}',
    ],
)
def test_a_broken_cache_is_an_empty_one(content: bytes, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache" / "claims.json")
    cache.path.parent.mkdir()
    cache.path.write_bytes(content)
    assert cache.load(NOW) == {}
    cache.save({"a": 1}, NOW)
    assert cache.load(NOW) == {"a": 1}


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "<x>", "", "."])
def test_names_that_cannot_be_asked_about(name: str) -> None:
    odd = Profile(identity=Identity(pypi_username=name), packages=(Package(name=name),))
    assert questions(odd, index=INDEX) == []


def test_the_call_for_roles(web: Web) -> None:
    ask(web)
    [request] = [each for each in web.requests if each.method == "POST"]
    assert request.body == roles_question("ada")
    assert b"<methodName>user_packages</methodName>" in request.body


def test_roles_are_pairs_and_nothing_else() -> None:
    assert parse_roles(b"<value><string>Owner</string></value><value><string>&evil;</string></value>") == []
    assert len(parse_roles(ROLES.encode())) == 2


def test_accounts_of_somebody_else_are_no_answer(web: Web) -> None:
    web["https://public.api.bsky.app/xrpc/app.bsky.actor.getProfile?actor=ada.example"] = as_json(
        {"handle": "eve.example", "displayName": "Eve"}
    )
    link = ProfileLink(kind="bluesky", label="", url="https://bsky.app/profile/ada.example")
    found = ask(web, Profile(profiles=(link,)))
    assert (found.facts, len(found.failures)) == ({}, 1)


def test_addresses_of_ones_own_network_are_not_asked(web: Web) -> None:
    def asked(_: Request, __: object) -> bytes:
        raise AssertionError

    web.names["index.example"] = ["10.0.0.1"]
    web[f"{INDEX}/pypi"] = asked
    found = ask(web)
    assert {failure.name for failure in found.failures} == {
        "user ada",
        "package engine",
        "package notes_on.it",
    }
