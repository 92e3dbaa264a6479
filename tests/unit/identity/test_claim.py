"""One claim and its six outcomes. What each provider answers is in `test_provider_answers.py`."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.name_server import start_name_server
from tests.fakes.proofs import KEY, NOW, YEAR, make_key, sign, verifier
from tests.fakes.web import Request, Web, answer, as_json, redirect, start_web

from sealstead.formats.profile_schema import ProfileLink
from sealstead.identity.outcomes import Outcome, Result
from sealstead.net.dns import NameServers, Server

PAGE = "http://ada.example/about"
OTHER = make_key(2)


@pytest.fixture
def web() -> Iterator[Web]:
    with start_web() as web:
        yield web


def check(web: Web, url: str = PAGE, kind: str = "website", **more: Any) -> Result:
    return verifier(web, **more).check(ProfileLink(kind=kind, label="", url=url))


def told(result: Result) -> str:
    return "\n".join(result.steps)


@pytest.mark.parametrize("form", ["full", "compact", "tiny"])
def test_verified(form: Any, web: Web) -> None:
    web[PAGE] = answer(f"<p>{sign(PAGE, form=form)}</p>")
    result = check(web)
    assert (result.outcome, result.by, result.provider) == (Outcome.VERIFIED, "signature", "page")
    assert result.proof is not None
    assert result.proof.key_id == KEY.public.id
    assert told(result).startswith(f"{PAGE} answers 200")


def test_missing(web: Web) -> None:
    web[PAGE] = answer("<p>hello</p>")
    assert check(web).outcome is Outcome.MISSING
    assert check(web, "http://ada.example/nowhere").outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (sign("http://ada.example/other"), "for the page 'http://ada.example/other'"),
        (sign(PAGE, user="eve"), "for the user 'eve'"),
        (sign(PAGE, package="other"), "for the package 'other'"),
        (sign(PAGE + "/"), f"for the page '{PAGE}/'"),
        (sign(PAGE)[:-20], "cut off or damaged"),
        ("pypi-profile-proof: nonsense", "cut off or damaged"),
    ],
)
def test_a_proof_for_something_else_or_not_whole(token: str, why: str, web: Web) -> None:
    """Copied from her other page, from another user's profile, or badly: it stands there, and proves nothing."""
    web[PAGE] = answer(token)
    result = check(web)
    assert result.outcome is Outcome.INVALID
    assert "1 proof there for something else, or not whole" in told(result)
    assert why in told(result)
    web[PAGE] = answer(f"{token} {sign(PAGE)}")
    assert check(web).outcome is Outcome.VERIFIED


def test_expired(web: Web) -> None:
    token = sign(PAGE, at=NOW - YEAR, lasts=YEAR)
    web[PAGE] = answer(token)
    assert check(web, at=NOW - timedelta(seconds=1)).outcome is Outcome.VERIFIED
    assert check(web, at=NOW).outcome is Outcome.EXPIRED


def test_an_old_proof_before_a_good_one(web: Web) -> None:
    """The existing tool stops at the first."""
    web[PAGE] = answer(f"{sign(PAGE, at=NOW - 2 * YEAR)} {sign(PAGE, key=OTHER)} {sign(PAGE)}")
    assert check(web).outcome is Outcome.VERIFIED


@pytest.mark.parametrize("form", ["full", "compact", "tiny"])
def test_by_a_key_of_somebody_else(form: Any, web: Web) -> None:
    web[PAGE] = answer(sign(PAGE, key=OTHER, form=form))
    assert check(web).outcome is Outcome.INVALID


def test_by_a_key_that_is_being_replaced(web: Web) -> None:
    web[PAGE] = answer(sign(PAGE, key=OTHER))
    assert check(web, keys=[KEY.public, OTHER.public]).outcome is Outcome.VERIFIED


def test_a_proof_ends_with_the_retiring_key_that_made_it(web: Web) -> None:
    ends = NOW + timedelta(days=9)
    both = {"keys": [KEY.public, OTHER.public], "retires": {OTHER.public.id: ends}}
    web[PAGE] = answer(sign(PAGE, key=OTHER))
    result = check(web, **both)
    assert (result.outcome, result.ends_at, result.retiring) == (Outcome.VERIFIED, ends, True)
    assert f"by the retiring key {OTHER.public.id} is good until 2026-11-30" in told(result)
    soon = NOW + timedelta(days=1)
    web[PAGE] = answer(sign(PAGE, key=OTHER, at=NOW, lasts=timedelta(days=1)))
    assert check(web, **both).ends_at == soon, "the proof's own end comes first"
    web[PAGE] = answer(f"{sign(PAGE, key=OTHER)} {sign(PAGE, at=NOW)} {sign(PAGE, key=OTHER, form='tiny')}")
    result = check(web, **both)
    assert (result.ends_at, result.retiring) == (NOW + YEAR, False), "its successor's beside it lasts longer"


@pytest.mark.parametrize("form", ["full", "compact"])
def test_by_a_key_that_was_revoked(form: Any, web: Web) -> None:
    web[PAGE] = answer(sign(PAGE, key=OTHER, form=form))
    result = check(web, former={OTHER.public: "revoked on 2026-11-01"})
    assert result.outcome is Outcome.INVALID
    assert f"it is by key {OTHER.public.id}, revoked on 2026-11-01" in told(result)


def test_a_tampered_proof(web: Web) -> None:
    token = sign(PAGE, form="full")
    raw = base64.urlsafe_b64decode(token.partition(": ")[2] + "==").replace(b'"2027', b'"2099')
    web[PAGE] = answer("pypi-profile-proof: " + base64.urlsafe_b64encode(raw).decode().rstrip("="))
    assert check(web).outcome is Outcome.INVALID


def test_an_expired_proof_that_is_also_forged_is_not_called_expired(web: Web) -> None:
    web[PAGE] = answer(sign(PAGE, key=OTHER, at=NOW - 2 * YEAR))
    assert check(web).outcome is Outcome.INVALID


@pytest.mark.parametrize("status", [401, 403, 429, 451, 999])
def test_refused_by_the_site(status: int, web: Web) -> None:
    web[PAGE] = answer(status=status)
    assert check(web).outcome is Outcome.REFUSED


def test_a_challenge_is_a_refusal(web: Web) -> None:
    web[PAGE] = answer("Just a moment...", status=503, fields={"cf-mitigated": "challenge"})
    assert check(web).outcome is Outcome.REFUSED


def test_a_door_is_a_refusal(web: Web) -> None:
    web[PAGE] = redirect("/login?next=/about")
    web["http://ada.example/login?next=/about"] = answer("please sign in")
    assert check(web).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "door", ["https://login.example.net/?to=ada", "https://ada.example.net/signin?to=ada"]
)
def test_a_door_that_several_sites_share_is_a_refusal(door: str, web: Web) -> None:
    web[PAGE] = redirect(door)
    result = check(web)
    assert result.outcome is Outcome.REFUSED
    assert "sign in" in told(result)
    assert web.asked() == [PAGE]


def test_sites_that_are_not_even_asked(web: Web) -> None:
    result = check(web, "https://www.linkedin.com/in/ada", kind="linkedin")
    assert (result.outcome, result.provider, web.requests) == (Outcome.REFUSED, "linkedin", [])


@pytest.mark.parametrize("status", [500, 502, 503])
def test_unreachable_by_status(status: int, web: Web) -> None:
    web[PAGE] = answer(status=status)
    assert check(web).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize(
    "url",
    [
        "http://nobody.invalid/",
        "http://127.0.0.1/",
        "http://[::1]:8000/",
        "http://169.254.169.254/latest/",
    ],
)
def test_unreachable_by_address(url: str, web: Web) -> None:
    result = check(web, url)
    assert result.outcome is Outcome.UNREACHABLE
    assert web.dialled == []


def test_unreachable_by_redirects(web: Web) -> None:
    web[PAGE] = redirect("/about")
    assert check(web).outcome is Outcome.UNREACHABLE
    for place in ("file:///etc/passwd", "http://[::1", "http://%E2%84%80/", "http://\u2100/"):
        web[PAGE] = redirect(place)
        assert check(web).outcome is Outcome.UNREACHABLE


def test_a_proof_on_the_page_it_redirects_to_elsewhere_is_not_this_pages(web: Web) -> None:
    web[PAGE] = redirect("http://eve.example/")
    web["http://eve.example/"] = answer(sign(PAGE))
    result = check(web)
    assert result.outcome is Outcome.MISSING
    assert "another site" in told(result)
    assert web.asked() == [PAGE]


def test_a_redirect_at_home(web: Web) -> None:
    web[PAGE] = redirect("https://www.ada.example/about/")
    web["https://www.ada.example/about/"] = answer(sign(PAGE))
    result = check(web)
    assert result.outcome is Outcome.VERIFIED
    assert "after 1 redirect" in told(result)


def test_a_long_page(web: Web) -> None:
    web[PAGE] = answer(sign(PAGE) + "\n" + "x" * 5_000_000)
    assert check(web).outcome is Outcome.VERIFIED, "it stands in the part that is read"
    web[PAGE] = answer("x" * 5_000_000 + "\n" + sign(PAGE))
    result = check(web)
    assert result.outcome is Outcome.UNREACHABLE, "nobody has seen that it is missing"
    assert "longer than is read" in told(result)


def test_a_page_without_end(web: Web) -> None:
    def endless(_: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    web[PAGE] = endless
    assert check(web).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "mailto:ada@example.org",
        "ftp://ada.example/",
        "https://",
        "https://ada:word@ada.example/",
        "not a url",
        "",
        "https://github.com/ada/engine/issues/1",
        "dns:a..b",
        "http://ada.example:25/",
        "https://[::1/",
        "https://ada.example:port/",
        "https://ada.example:99999/@ada",
        "https://[v1.x]/",
        "https://ada\u2100.example/",
        "https://\uff47ithub.com/ada/engine/issues/1",
        "//ada.example/",
        "https:",
        "dns:",
        "matrix:u/ada",
        "acct:ada",
    ],
)
def test_claims_that_nothing_could_prove(url: str, web: Web) -> None:
    result = check(web, url)
    assert result.outcome is Outcome.INVALID
    assert result.steps
    assert web.dialled == []


def test_several_places_one_of_them_down(web: Web) -> None:
    """The file has no proof, the account could not be looked at: so nobody may say it is missing."""
    url = "https://github.com/ada"
    web["https://raw.githubusercontent.com/ada/ada/HEAD/README.md"] = answer("hello")
    web["https://api.github.com/users/ada"] = answer(status=500)
    assert check(web, url, "github").outcome is Outcome.UNREACHABLE
    web["https://api.github.com/users/ada"] = answer(status=403)
    assert check(web, url, "github").outcome is Outcome.REFUSED
    web["https://api.github.com/users/ada"] = as_json({"bio": "hello"})
    assert check(web, url, "github").outcome is Outcome.MISSING
    web["https://api.github.com/users/ada"] = as_json({"bio": sign(url, form="tiny")})
    assert check(web, url, "github").outcome is Outcome.VERIFIED


def test_json_that_is_none(web: Web) -> None:
    url = "https://lobste.rs/~ada"
    web["https://lobste.rs/~ada.json"] = answer("<html>maintenance</html>")
    assert check(web, url).outcome is Outcome.UNREACHABLE


def test_a_host_taken_for_what_it_is_not(web: Web) -> None:
    url = "http://ada.example/@ada"
    web["http://ada.example/api/v1/accounts/lookup?acct=ada"] = answer("<html>all is well</html>")
    web[url] = answer("hello")
    assert check(web, url).outcome is Outcome.MISSING
    web[url] = answer(sign(url))
    assert check(web, url).outcome is Outcome.VERIFIED


def test_records_of_a_domain() -> None:
    with start_web() as web, start_name_server() as dns:
        texts = NameServers([dns.server])
        assert check(web, "dns:ada.example", "dns", texts=texts).outcome is Outcome.MISSING
        dns.texts["_pypi-profile.ada.example"] = ["v=1", sign("dns:ada.example", form="full")]
        result = check(web, "dns:ada.example", "dns", texts=texts)
        assert (result.outcome, result.provider) == (Outcome.VERIFIED, "dns")
        dns.texts["ada.example"] = [sign("dns:ada.example", key=OTHER)]
        assert check(web, "dns:ada.example", "dns", texts=texts).outcome is Outcome.VERIFIED
        dns.rcode = 2
        assert check(web, "dns:ada.example", "dns", texts=texts).outcome is Outcome.UNREACHABLE
        dns.rcode = 5
        assert check(web, "dns:ada.example", "dns", texts=texts).outcome is Outcome.REFUSED
        nobody = NameServers([Server("127.0.0.1", 1)], seconds=0.5)
        assert check(web, "dns:ada.example", "dns", texts=nobody).outcome is Outcome.UNREACHABLE


def test_accounts_by_a_scheme_of_their_own(web: Web) -> None:
    url = "acct:ada@social.example"
    web["https://social.example/api/v1/accounts/lookup?acct=ada"] = as_json({"note": sign(url)})
    assert check(web, url, "mastodon").outcome is Outcome.VERIFIED
    assert check(web, "xmpp:ada@social.example").outcome is Outcome.INVALID


@pytest.mark.parametrize("mistake", [AttributeError, ValueError, RecursionError, MemoryError])
def test_a_mistake_of_ours_is_told_of(mistake: type[Exception], web: Web) -> None:
    class Broken:
        def fetch(self, *_: object, **__: object) -> None:
            raise mistake("ours")

    result = check(web, pages=Broken())
    assert result.outcome is Outcome.UNREACHABLE
    assert f"unexpected {mistake.__name__}" in told(result)


def test_a_page_full_of_proofs_that_are_none(web: Web) -> None:
    web[PAGE] = answer(" ".join(sign(f"{PAGE}?{number}", form="tiny") for number in range(100)))
    result = check(web, seconds=-1)  # its time is over before the first of them
    assert result.outcome is not Outcome.VERIFIED
    assert "more stands there than can be judged" in told(result)


@pytest.mark.parametrize("page", ["&#" + "1" * 5000 + ";", "<a " + "a" * 500_000 + ">", "[" * 500_000])
def test_hostile_pages_end_nothing(page: str, web: Web) -> None:
    link = ProfileLink(kind="website", label="", url=PAGE, rel_me=True)
    web[PAGE] = answer(page)
    assert verifier(web).check(link).outcome is Outcome.MISSING
    web[PAGE] = answer(page + sign(PAGE))
    assert verifier(web).check(link).outcome is Outcome.VERIFIED


FORUM = "http://forum.example/u/ada"
REPLY = f"<div class=reply data-by=mallory>{sign(FORUM)}</div>"


@pytest.mark.parametrize("kind", ["website", "discourse", "lemmy", "forgejo", "rel-me", "domain"])
def test_where_an_owner_writes_is_known_nothing_else_counts(kind: str, web: Web) -> None:
    """Mallory left a proof in a reply, and calls the page what she likes."""
    web["http://forum.example/u/ada.json"] = as_json({"user": {"username": "ada", "bio_raw": "hello"}})
    web[FORUM] = answer(REPLY)
    result = check(web, FORUM, kind)
    assert result.outcome is Outcome.MISSING
    assert "written by others" in told(result)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_an_owners_text_that_is_not_shown_is_not_looked_for_elsewhere(status: int, web: Web) -> None:
    web["http://forum.example/u/ada.json"] = answer(status=status)
    web[FORUM] = answer(REPLY)
    assert check(web, FORUM, "discourse").outcome in (Outcome.REFUSED, Outcome.UNREACHABLE)
    web["http://forum.example/u/ada.json"] = answer('{"user":' + " " * 3_000_000)
    assert check(web, FORUM, "discourse").outcome is Outcome.UNREACHABLE


def test_a_server_that_is_of_no_such_kind(web: Web) -> None:
    web[FORUM] = answer(REPLY)
    assert check(web, FORUM).outcome is Outcome.VERIFIED
    web["http://forum.example/u/ada.json"] = answer("<html>" + "x" * 3_000_000)
    assert check(web, FORUM).outcome is Outcome.VERIFIED


def test_a_forum_on_a_host_of_a_known_site(web: Web) -> None:
    """What its software says of the account counts; what others wrote on the same page never does."""
    page = "http://forum.gitlab.com/u/ada"
    web[page] = answer(f"<div class=reply>{sign(page)}</div>")
    assert check(web, page).outcome is Outcome.MISSING
    web[f"{page}.json"] = as_json({"user": {"username": "ada", "bio_raw": f"hello {sign(page)}"}})
    assert check(web, page).outcome is Outcome.VERIFIED
