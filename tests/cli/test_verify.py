"""`verify`: what it says about each claim, what it ends with, and what it writes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.name_server import start_name_server
from tests.fakes.proofs import KEY, make_key, sign
from tests.fakes.web import Request, Web, answer, redirect, start_web
from tests.postgres import free_port
from tests.publisher import Publisher

from sealstead.formats.statement import Reason, make_revocation, make_rotation

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
OTHER = make_key(2)


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        yield web


@pytest.fixture
def ada(publisher: Publisher) -> Publisher:
    publisher.environment["XDG_CACHE_HOME"] = str(publisher.home / "cache")
    return publisher


def claim(ada: Publisher, *urls: str, key: str = KEY.public.line, statements: tuple[str, ...] = ()) -> None:
    links = [f'[[profiles]]\nkind = "website"\nlabel = ""\nurl = {json.dumps(url)}\n' for url in urls]
    ada.profile.write_text(
        '[profile]\ndisplay_name = "Ada"\n[identity]\npypi_username = "ada"\n'
        + "".join(links)
        + f"[verification]\npublic_key = {json.dumps(key)}\nstatements = {json.dumps(statements)}\n"
    )


def show(web: Web, name: str, text: str) -> str:
    """Put a page on the web; return its URL."""
    url = f"{web.base}/{name}"
    web[url] = answer(text)
    return url


def prove(web: Web, name: str, **more: Any) -> str:
    url = f"{web.base}/{name}"
    web[url] = answer(f"<p>{sign(url, **{'at': NOW - DAY, **more})}</p>")
    return url


def files(ada: Publisher) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in ada.root.rglob("*") if path.is_file()}


def test_all_is_well(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one"), prove(web, "two", form="tiny"))
    done = ada.run("verify", "--allow-private")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["verified", f"{web.base}/one"],
        ["verified", f"{web.base}/two"],
    ]
    assert "2 of 2 claims verified" in done.err


def test_six_outcomes_in_one_profile(ada: Publisher, web: Web) -> None:
    dead = f"http://127.0.0.1:{free_port()}/"
    refused = f"{web.base}/refused"
    web[refused] = answer(status=403)
    urls = (
        prove(web, "good"),
        show(web, "bare", "<p>hello</p>"),
        prove(web, "forged", key=OTHER),
        prove(web, "old", at=NOW - 3 * DAY, lasts=DAY),
        dead,
        refused,
    )
    claim(ada, *urls)
    done = ada.run("verify", "--allow-private", "--json")
    assert done.code == 1
    assert [(each["url"], each["status"]) for each in done.json["results"]] == list(
        zip(
            urls,
            ("verified", "missing", "invalid", "expired", "unreachable", "refused-by-site"),
            strict=True,
        )
    )
    assert (done.json["verified"], done.json["total"]) == (1, 6)
    assert all(each["detail"] for each in done.json["results"])


@pytest.mark.parametrize("kind", ["missing", "invalid", "expired", "unreachable"])
def test_one_bad_claim_is_enough_to_fail(kind: str, ada: Publisher, web: Web) -> None:
    """The existing tool ends with 0 whatever it finds."""
    bad = {
        "missing": lambda: show(web, "bare", "hello"),
        "invalid": lambda: prove(web, "forged", key=OTHER),
        "expired": lambda: prove(web, "old", at=NOW - 3 * DAY, lasts=DAY),
        "unreachable": lambda: f"http://127.0.0.1:{free_port()}/",
    }[kind]()
    claim(ada, prove(web, "good"), bad)
    done = ada.run("verify", "--allow-private")
    assert done.code == 1
    assert any(line.startswith(kind) for line in done.out.splitlines())


def test_private_addresses_need_leave(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one"))
    done = ada.run("verify", "--json")
    assert done.code == 1
    assert done.json["results"][0]["status"] == "unreachable"
    assert "--allow-private" in done.json["results"][0]["detail"][0]
    assert web.requests == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "https://user:word@example.org/"]
)
def test_urls_that_are_never_fetched(url: str, ada: Publisher) -> None:
    claim(ada, url)
    done = ada.run("verify", "--allow-private", "--json")
    assert (done.code, done.json["results"][0]["status"]) == (1, "invalid")


def test_pages_that_do_not_end(ada: Publisher, web: Web) -> None:
    loop, endless, long = (f"{web.base}/{name}" for name in ("loop", "endless", "long"))
    web[loop] = redirect("/loop")

    def without_end(_: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    web[endless] = without_end
    web[long] = answer(b"x" * 5_000_000)
    claim(ada, loop, endless, long)
    done = ada.run("verify", "--allow-private", "--json")
    assert done.code == 1
    assert [each["status"] for each in done.json["results"]] == ["unreachable"] * 3


def test_a_page_that_takes_too_long(ada: Publisher, web: Web) -> None:
    url = f"{web.base}/slow"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        claim(ada, url)
        done = ada.run("verify", "--allow-private", "--timeout", "0.3", "--json")
    assert (done.code, done.json["results"][0]["status"]) == (1, "unreachable")


def test_what_ends_soon(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one", at=NOW, lasts=10 * DAY))
    assert ada.run("verify", "--allow-private", "--expiring-within", "9d").code == 0
    done = ada.run("verify", "--allow-private", "--expiring-within", "30d")
    assert done.code == 4
    assert "in 9 days: sign it again" in done.out
    claim(ada, prove(web, "one", at=NOW, lasts=10 * DAY), show(web, "two", ""))
    assert ada.run("verify", "--allow-private", "--expiring-within", "30d").code == 1, "a failure comes first"


def test_what_ends_with_a_retiring_key(ada: Publisher, web: Web) -> None:
    """The proof says that it is good for a year; its key is believed for ten days."""
    url = prove(web, "one", key=OTHER)
    rotation = make_rotation(OTHER, KEY, issued_at=NOW - DAY, retires_at=NOW + 10 * DAY)
    claim(ada, url, statements=(rotation,))
    assert ada.run("verify", "--allow-private", "--expiring-within", "9d").code == 0
    done = ada.run("verify", "--allow-private", "--expiring-within", "30d", "--json")
    assert done.code == 4
    [result] = done.json["results"]
    assert (result["status"], result["expires_soon"], result["by_retiring_key"]) == ("verified", True, True)
    assert result["expires_at"] == f"{NOW + 10 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    done = ada.run("verify", "--allow-private")
    assert done.code == 0
    assert "by a retiring key, ends on" in done.out


def test_a_page_where_a_profile_is_wanted(ada: Publisher, web: Web) -> None:
    url = prove(web, "one")
    claim(ada, url)
    done = ada.run("verify", url)
    assert done.code == 2
    assert f"--only {url}" in done.err


def test_when_it_was_last_good(ada: Publisher, web: Web) -> None:
    url = prove(web, "one")
    claim(ada, url)
    first = ada.run("verify", "--allow-private", "--json").json
    web[url] = answer(status=500)
    done = ada.run("verify", "--allow-private")
    assert done.code == 1
    assert "last verified on" in done.out
    again = ada.run("verify", "--allow-private", "--json").json
    assert again["results"][0]["last_verified_at"] == first["checked_at"]


def test_a_cache_that_cannot_be_written_is_no_failure(ada: Publisher, web: Web) -> None:
    (ada.home / "cache").write_text("in the way")
    claim(ada, prove(web, "one"))
    done = ada.run("verify", "--allow-private", "--json")
    assert done.code == 0
    assert "not remembered" in done.err
    assert done.json["verified"] == 1


def test_a_dry_run_asks_nobody_and_writes_nothing(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one"), "https://github.com/ada", "https://github.com/ada/x/issues/1")
    before = files(ada)
    done = ada.run("verify", "--allow-private", "--dry-run", "--json")
    assert done.code == 0
    assert [each["providers"] for each in done.json["claims"]] == [["page"], ["github"], []]
    assert (web.requests, files(ada)) == ([], before)
    told = ada.run("verify", "--dry-run").out
    assert f"{web.base}/one\n    anywhere on the page {web.base}/one" in told


def test_the_profile_is_never_written(ada: Publisher, web: Web) -> None:
    """The existing tool fills in a public key while it verifies."""
    claim(ada, prove(web, "one"), key="")
    before = ada.profile.read_bytes()
    done = ada.run("verify", "--allow-private", "--json")
    assert (done.code, done.error) == (1, "no-public-key")
    assert ada.profile.read_bytes() == before


def test_retiring_and_revoked_keys(ada: Publisher, web: Web) -> None:
    url = prove(web, "one", key=OTHER)
    rotation = make_rotation(OTHER, KEY, issued_at=NOW - DAY, retires_at=NOW + DAY)
    claim(ada, url, statements=(rotation,))
    done = ada.run("verify", "--allow-private", "--json")
    assert (done.code, done.json["results"][0]["key_id"]) == (0, OTHER.public.id)
    assert done.json["keys"] == [KEY.public.id, OTHER.public.id]
    revocation = make_revocation(
        KEY, OTHER.public, issued_at=NOW, revoked_at=NOW - DAY, reason=Reason.COMPROMISED
    )
    claim(ada, url, statements=(rotation, revocation))
    done = ada.run("verify", "--allow-private")
    assert done.code == 1
    assert f"by key {OTHER.public.id}, revoked on" in done.out


def test_only_some_pages(ada: Publisher, web: Web) -> None:
    url = prove(web, "one")
    claim(ada, url, show(web, "two", ""))
    assert ada.run("verify", "--allow-private", "--only", url).code == 0
    done = ada.run("verify", "--only", f"{url}x", "--json")
    assert (done.code, done.error) == (2, "not-in-profile")


def test_sites_that_let_nobody_look(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one"), "https://www.linkedin.com/in/ada")
    assert ada.run("verify", "--allow-private").code == 1
    assert ada.run("verify", "--allow-private", "--ignore-refused").code == 0


def test_records_of_a_domain(ada: Publisher) -> None:
    claim(ada, "dns:ada.example")
    with start_name_server() as dns:
        dns.texts["ada.example"] = [sign("dns:ada.example", at=NOW - DAY)]
        assert ada.run("verify", "--resolver", dns.setting).code == 0
    assert ada.run("verify", "--resolver", "nonsense").code == 2


def test_another_package(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one", package="ada-of-london"))
    assert ada.run("verify", "--allow-private").code == 1
    assert ada.run("verify", "--allow-private", "--profile-package", "ada-of-london").code == 0


def test_the_package_that_the_stored_proof_names(ada: Publisher, web: Web) -> None:
    url = prove(web, "one", package="ada-of-london")
    claim(ada, url)
    stored = f'url = "{url}"\nstored_proof = "{sign(url, package="ada-of-london", at=NOW)}"'
    ada.profile.write_text(ada.profile.read_text().replace(f'url = "{url}"', stored))
    assert ada.run("verify", "--allow-private").code == 0


def test_pages_cannot_write_on_the_terminal(ada: Publisher, web: Web) -> None:
    url = f"{web.base}/one"
    web[url] = redirect("http://evil.example/\x1b]0;pwned\x07\x1b[2J")
    claim(ada, url)
    done = ada.run("verify", "--allow-private")
    assert done.code == 1
    assert "\x1b" not in done.out + done.err


def test_no_profile_and_no_claims(ada: Publisher) -> None:
    assert ada.run("verify").code == 2
    claim(ada)
    done = ada.run("verify", "--json")
    assert (done.code, done.json["results"]) == (0, [])


def test_a_profile_somewhere_else(ada: Publisher, web: Web) -> None:
    claim(ada, prove(web, "one"))
    ada.profile.rename(ada.root / "other.toml")
    assert ada.run("verify", str(ada.root / "other.toml"), "--allow-private").code == 0
