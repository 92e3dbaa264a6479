"""`fetch-claims` and its old name: JSON alone on stdout, a cache of answers in the user's place for it, exit codes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.web import Web, answer, as_json, start_web
from tests.publisher import Publisher


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        web[f"{web.base}/pypi"] = answer(
            "<methodResponse><value><string>Owner</string></value><value><string>engine</string></value>"
        )
        web[f"{web.base}/pypi/engine/json"] = as_json({"info": {"summary": "It computes", "version": "1.0"}})
        web[f"{web.base}/api/v1/accounts/lookup?acct=ada"] = as_json({"display_name": "Ada \x1b[2J"})
        yield web


@pytest.fixture
def ada(publisher: Publisher, web: Web) -> Publisher:
    publisher.environment["XDG_CACHE_HOME"] = str(publisher.home / "cache")
    publisher.profile.write_text(
        '[profile]\ndisplay_name = "Ada"\n[identity]\npypi_username = "ada"\n'
        f'[[profiles]]\nkind = "mastodon"\nlabel = ""\nurl = "{web.base}/@ada"\n'
        '[[packages]]\nname = "engine"\nrole = "owner"\n'
    )
    return publisher


@pytest.mark.parametrize("name", ["fetch-claims", "fetch"])
def test_json_is_all_that_stands_on_stdout(name: str, ada: Publisher, web: Web) -> None:
    said = ada.good(name, "--allow-private", "--index-url", web.base, "--json").json
    assert said["pypi_packages"] == [{"name": "engine", "role": "owner"}]
    assert said["package_meta"]["engine"]["summary"] == "It computes"
    assert [each["status"] for each in said["package_comparison"]] == ["confirmed"]
    assert said["mastodon"]["name"] == "Ada \x1b[2J"
    assert said["failures"] == []


def test_json_stays_json_whatever_a_site_says(ada: Publisher, web: Web) -> None:
    web[f"{web.base}/api/v1/accounts/lookup?acct=ada"] = answer('{"display_name": 1e999, "note": "a\u202eb"}')
    web[f"{web.base}/pypi/engine/json"] = answer('{"info": {"summary": -1e999, "version": NaN}}')
    for _ in ("asked", "kept"):
        done = ada.good("fetch-claims", "--allow-private", "--index-url", web.base, "--json")
        assert "Infinity" not in done.out
        assert "NaN" not in done.out
        assert "\u202e" not in done.out


def test_in_words(ada: Publisher, web: Web) -> None:
    done = ada.good("fetch-claims", "--allow-private", "--index-url", web.base)
    assert "confirmed" in done.out
    assert "3 of 3 questions answered" in done.err
    assert "\x1b" not in done.out


def test_answers_are_kept_elsewhere_than_here(ada: Publisher, web: Web) -> None:
    before = {path.name for path in ada.here.iterdir()}
    ada.good("fetch-claims", "--allow-private", "--index-url", web.base)
    web.requests.clear()
    again = ada.good("fetch-claims", "--allow-private", "--index-url", web.base, "--json").json
    assert web.requests == []
    assert again["accounts"][0]["cached"] is True
    assert {path.name for path in ada.here.iterdir()} == before
    ada.good("fetch-claims", "--allow-private", "--index-url", web.base, "--refresh")
    assert len(web.requests) == 3


def test_failures_are_not_kept(ada: Publisher, web: Web) -> None:
    web.routes[f"{web.base}/pypi/engine/json"] = answer(status=500)
    done = ada.good("fetch-claims", "--allow-private", "--index-url", web.base, "--json")
    assert [each["name"] for each in done.json["failures"]] == ["package engine"]
    assert "no answer about package engine" in done.err
    web[f"{web.base}/pypi/engine/json"] = as_json({"info": {"summary": "back"}})
    again = ada.good("fetch-claims", "--allow-private", "--index-url", web.base, "--json").json
    assert again["package_meta"]["engine"]["summary"] == "back"


def test_nobody_answers(ada: Publisher, web: Web) -> None:
    done = ada.run("fetch-claims", "--index-url", web.base, "--json")  # private addresses, and no leave
    assert done.code == 5
    assert len(done.json["failures"]) == 3
    assert not (ada.home / "cache").exists()


def test_a_dry_run_asks_nobody(ada: Publisher, web: Web) -> None:
    done = ada.good("fetch-claims", "--dry-run", "--index-url", web.base, "--json")
    assert len(done.json["would_ask"]) == 3
    assert web.requests == []
    assert not (ada.home / "cache").exists()


def test_nothing_to_ask_about(ada: Publisher) -> None:
    ada.profile.write_text("")
    assert ada.good("fetch-claims", "--json").json["accounts"] == []
