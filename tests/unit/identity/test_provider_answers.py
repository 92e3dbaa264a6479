"""Each row of the table against the shape of the site's real answer: the proof counts where its owner writes, only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.fakes.proofs import sign, verifier
from tests.fakes.web import Request, Web, answer, as_json, start_web

from sealstead.formats.profile_schema import ProfileLink
from sealstead.identity.outcomes import Outcome
from sealstead.identity.providers import Place, Provider, named

ROWS = [row for row in named() if row.sources and row.name not in ("dns", "rel-me")]
Answers = dict[str, Any]
Maker = Callable[[str, str], Answers]
"""From what the owner wrote and what somebody else wrote, to what the site answers: JSON values or texts by URL."""

_ACTIVITY = "application/activity+json"


def forgejo(base: str) -> tuple[Maker, Maker]:
    api = f"https://{base}/api/v1"

    def user(own: str, other: str) -> Answers:
        return {
            f"{api}/users/ada": {
                "id": 1, "login": "ada", "full_name": "Ada", "description": own, "website": "",
                "last_feed": other,
            }
        }  # fmt: skip

    def repository(own: str, other: str) -> Answers:
        return {
            f"{api}/repos/ada/engine": {"full_name": "ada/engine", "description": "", "topics": [other]},
            f"{api}/repos/ada/engine/raw/README.md": f"# Engine\n\n{own}\n",
        }

    return user, repository


def forem(base: str) -> tuple[Maker, Maker]:
    def user(own: str, other: str) -> Answers:
        return {
            f"https://{base}/api/users/by_username?url=ada": {
                "type_of": "user", "username": "ada", "summary": own, "badge": other,
            }
        }  # fmt: skip

    def post(own: str, other: str) -> Answers:
        return {
            f"https://{base}/api/articles/ada/my-proof-1abc": {
                "title": other, "body_markdown": own, "user": {"username": "ada"},
            }
        }  # fmt: skip

    return user, post


def file(url: str) -> Maker:
    return lambda own, _: {url: f"# Ada\n\n{own}\n"}


def data(url: str, shape: Callable[[str, str], Any]) -> Maker:
    return lambda own, other: {url: shape(own, other)}


def actor(url: str) -> Maker:
    def shape(own: str, other: str) -> Any:
        return {
            "type": "Person", "id": url, "preferredUsername": "ada", "summary": f"<p>{own}</p>",
            "featured": other, "attachment": [{"type": "PropertyValue", "name": "x", "value": "y"}],
        }  # fmt: skip

    return data(url, shape)


MATRIX = "https://matrix-client.ada.example"
MAKERS: dict[str, Maker] = {
    "github-gist": data(
        "https://api.github.com/gists/0123456789abcdef0123456789abcdef",
        lambda own, other: {
            "owner": {"login": "Ada"}, "description": "", "files": {"proof.md": {"content": f"x {own} y"}},
            "history": [{"user": {"login": other}}], "comments": 1,
        },
    ),
    "github": file("https://raw.githubusercontent.com/ada/ada/HEAD/README.md"),
    "github-repository": file("https://raw.githubusercontent.com/ada/engine/HEAD/README.md"),
    "gitlab": data(
        "https://gitlab.com/api/v4/projects/ada%2Fpypi_profile_proof",
        lambda own, other: {"name": other, "description": own},
    ),
    "gitlab-project": file("https://gitlab.com/ada/engine/-/raw/HEAD/README.md"),
    "codeberg": forgejo("codeberg.org")[0],
    "codeberg-repository": forgejo("codeberg.org")[1],
    "gitea-com": forgejo("gitea.com")[0],
    "gitea-com-repository": forgejo("gitea.com")[1],
    "forgejo": forgejo("git.ada.example")[0],
    "forgejo-repository": forgejo("git.ada.example")[1],
    "gitea": forgejo("gitea.ada.example")[0],
    "gitea-repository": forgejo("gitea.ada.example")[1],
    "bitbucket": data(
        "https://api.bitbucket.org/2.0/repositories/ada/engine",
        lambda own, other: {"full_name": "ada/engine", "description": own, "mainbranch": {"name": other}},
    ),
    "sourcehut": file("https://sr.ht/~ada/"),
    "launchpad": data(
        "https://api.launchpad.net/1.0/~ada",
        lambda own, other: {"name": "ada", "description": own, "mugshot_link": other},
    ),
    "pypi-project": data(
        "https://pypi.org/pypi/engine/json",
        lambda own, other: {"info": {"name": "engine", "description": own}, "urls": [{"comment_text": other}]},
    ),
    "npm": data(
        "https://registry.npmjs.org/engine", lambda own, other: {"readme": own, "users": {other: True}}
    ),
    "crates": data(
        "https://crates.io/api/v1/crates/engine",
        lambda own, other: {"crate": {"name": "engine", "description": own}, "keywords": [other]},
    ),
    "docker-hub": data(
        "https://hub.docker.com/v2/repositories/ada/engine/",
        lambda own, other: {"name": "engine", "full_description": own, "hub_user": other},
    ),
    "hugging-face": file("https://huggingface.co/ada/engine/raw/main/README.md"),
    "stack-exchange": data(
        "https://api.stackexchange.com/2.3/users/1234?site=stackoverflow.com&filter=!AH)b5JqVyImf",
        lambda own, other: {"items": [{"about_me": f"<p>{own}</p>", "display_name": other}], "quota": 1},
    ),
    "hacker-news": data(
        "https://hacker-news.firebaseio.com/v0/user/ada.json",
        lambda own, other: {"id": "ada", "about": f"Hi.<p>{own}", "submitted": [other]},
    ),
    "reddit": data(
        "https://www.reddit.com/user/ada/about.json",
        lambda own, other: {"data": {"name": "Ada", "subreddit": {"public_description": own}, "x": other}},
    ),
    "reddit-post": data(
        "https://www.reddit.com/user/ada/comments/abc123.json",
        lambda own, other: [
            {"data": {"children": [{"data": {"author": "ada", "selftext": own}}]}},
            {"data": {"children": [{"data": {"author": "eve", "body": other, "selftext": other}}]}},
        ],
    ),
    "discourse": data(
        "https://discuss.ada.example/u/ada.json",
        lambda own, other: {"user": {"username": "ada", "bio_raw": own, "groups": [{"bio_raw": other}]}},
    ),
    "lemmy": data(
        "https://lemmy.ada.example/api/v3/user?username=ada",
        lambda own, other: {"person_view": {"person": {"bio": own}}, "comments": [{"content": other}]},
    ),
    "dev-to": forem("dev.to")[0],
    "dev-to-post": forem("dev.to")[1],
    "forem": forem("community.ada.example")[0],
    "forem-post": forem("community.ada.example")[1],
    "lobsters": data(
        "https://lobste.rs/~ada.json",
        lambda own, other: {"username": "ada", "about": own, "invited_by_user": other},
    ),
    "mastodon": data(
        "https://social.ada.example/api/v1/accounts/lookup?acct=ada",
        lambda own, other: {
            "acct": "ada", "note": "<p>Hello</p>", "display_name": other,
            "fields": [{"name": "Key", "value": f'<span class="invisible">{own}</span>'}],
        },
    ),
    "activitypub": actor("https://pleroma.ada.example/users/ada"),
    "bluesky": data(
        "https://public.api.bsky.app/xrpc/app.bsky.actor.getProfile?actor=ada.example",
        lambda own, other: {"handle": "ada.example", "description": own, "pinnedPost": {"text": other}},
    ),
    "orcid": data(
        "https://pub.orcid.org/v3.0/0000-0002-1825-0097/person",
        lambda own, other: {
            "name": {"path": "0000-0002-1825-0097"}, "biography": {"content": own},
            "external-identifiers": {"external-identifier": [{"external-id-value": other}]},
        },
    ),
    "keybase": data(
        "https://keybase.io/_/api/1.0/user/lookup.json?username=ada",
        lambda own, other: {"them": {"profile": {"bio": own}, "followers": [other]}},
    ),
    "liberapay": data(
        "https://liberapay.com/ada/public.json",
        lambda own, other: {"statements": [{"lang": "en", "content": own}], "npatrons": other},
    ),
    "open-collective": data(
        "https://api.opencollective.com/graphql/v2",
        lambda own, other: {"data": {"account": {"longDescription": f"<p>{own}</p>", "updates": other}}},
    ),
    "matrix": lambda own, other: {
        "https://ada.example/.well-known/matrix/client": {"m.homeserver": {"base_url": f"{MATRIX}/"}},
        f"{MATRIX}/_matrix/client/v3/profile/%40ada%3Aada.example": {
            "displayname": "Ada", "org.pypi_profile.proof": own, "avatar_url": other,
        },
    },
    "lichess": data(
        "https://lichess.org/api/user/ada",
        lambda own, other: {"id": "ada", "profile": {"bio": own, "flag": "GB"}, "title": other},
    ),
    "owncast": data(
        "https://live.ada.example/api/config",
        lambda own, other: {"name": "Ada live", "extraPageContent": f"<p>{own}</p>", "chat": other},
    ),
    "peertube": data(
        "https://videos.ada.example/api/v1/accounts/ada",
        lambda own, other: {"name": "ada", "description": own, "displayName": other},
    ),
    "gravatar": data(
        "https://gravatar.com/ada.json",
        lambda own, other: {"entry": [{"aboutMe": own, "displayName": other}]},
    ),
    "telegram": file("https://t.me/ada"),
    "well-known": file("https://ada.example/.well-known/pypi-profile"),
    "sealstead": file("https://packages.ada.example/project/engine/"),
    "page": file("https://ada.example/about"),
}  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[Web]:
    with start_web() as web:
        yield web


@pytest.fixture
def web(shared: Web) -> Iterator[Web]:
    shared.routes.clear()
    shared.requests.clear()
    yield shared
    shared.routes.clear()


def play(web: Web, answers: Answers) -> None:
    for url, value in answers.items():
        web[url] = answer(value) if isinstance(value, str) else negotiated(as_json(value), url)


def negotiated(said: bytes, url: str) -> Callable[[Request, Any], bytes]:
    """Where the page and the data have one address, a browser is shown the page."""

    def choose(request: Request, _: object) -> bytes:
        wants_page = (
            url == "https://pleroma.ada.example/users/ada" and _ACTIVITY not in request.headers["accept"]
        )
        return answer("<html>a page</html>") if wants_page else said

    return choose


def link(row: Provider) -> ProfileLink:
    return ProfileLink(kind=row.kinds[0] if row.kinds else row.name, label=row.title, url=row.example)


def test_every_row_that_fetches_is_played() -> None:
    assert {row.name for row in ROWS} == set(MAKERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_proof_where_its_owner_writes(row: Provider, web: Web) -> None:
    form = row.form.value
    play(web, MAKERS[row.name](sign(row.example, form=form), "somebody else"))
    result = verifier(web).check(link(row))
    assert result.outcome is Outcome.VERIFIED, result.steps
    assert (result.provider, result.by) == (row.name, "signature")
    assert result.proof is not None
    assert result.proof.form == form
    assert any("is good until" in step for step in result.steps)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.sources[0].place is Place.JSON], ids=lambda row: row.name
)
def test_a_proof_where_others_write_counts_for_nothing(row: Provider, web: Web) -> None:
    play(web, MAKERS[row.name]("Hello", sign(row.example, form="full")))
    result = verifier(web).check(link(row))
    assert result.outcome is Outcome.MISSING, result.steps


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_page_that_is_not_there(row: Provider, web: Web) -> None:
    result = verifier(web).check(link(row))
    assert result.outcome is Outcome.MISSING, result.steps
    assert web.requests, "it was looked for"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_site_that_lets_no_program_look(row: Provider, web: Web) -> None:
    answers = MAKERS[row.name]("", "")
    play(web, answers)
    for url in answers:
        if "/.well-known/matrix/" not in url:  # without which another server would be asked
            web[url] = answer("go away", status=403)
    assert verifier(web).check(link(row)).outcome is Outcome.REFUSED


@pytest.mark.parametrize("name", ["github-gist", "reddit-post", "reddit", "bluesky", "dev-to-post"])
def test_somebody_elses_thing_at_a_url_that_names_me(name: str, web: Web) -> None:
    """Sites find a thing by its number and ignore the name before it: the answer must name the owner too."""
    row = next(row for row in ROWS if row.name == name)
    for url, value in MAKERS[name](sign(row.example), "").items():
        text = json.dumps(value).replace('"ada"', '"eve"').replace('"Ada"', '"eve"')
        web[url] = answer(text.replace('"handle": "ada.example"', '"handle": "eve.example"'))
    result = verifier(web).check(link(row))
    assert result.outcome is Outcome.INVALID
    assert "not a page of" in " ".join(result.steps)


def test_what_open_collective_is_asked(web: Web) -> None:
    row = next(row for row in ROWS if row.name == "open-collective")
    seen: list[Request] = []

    def asked(request: Request, _: object) -> bytes:
        seen.append(request)
        return as_json({"data": {"account": None}})

    web["https://api.opencollective.com/graphql/v2"] = asked
    assert verifier(web).check(link(row)).outcome is Outcome.MISSING
    [request] = seen
    assert request.method == "POST"
    assert json.loads(request.body)["variables"] == {"slug": "ada"}


def test_matrix_without_a_pointer_to_its_server(web: Web) -> None:
    row = next(row for row in ROWS if row.name == "matrix")
    web["https://ada.example/_matrix/client/v3/profile/%40ada%3Aada.example"] = as_json(
        {"displayname": f"Ada {sign(row.example, form='tiny')}"}
    )
    assert verifier(web).check(link(row)).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1/", "file:///etc", "https://10.0.0.1", "nonsense", 7, None]
)
def test_matrix_with_a_pointer_to_where_nobody_should_look(base: Any, web: Web) -> None:
    row = next(row for row in ROWS if row.name == "matrix")
    web["https://ada.example/.well-known/matrix/client"] = as_json({"m.homeserver": {"base_url": base}})
    web.names["10.0.0.1"] = ["10.0.0.1"]
    result = verifier(web).check(link(row))
    assert result.outcome in (Outcome.UNREACHABLE, Outcome.MISSING), result.steps
    assert {host for host, _ in web.dialled} <= {"93.184.215.14"}


def test_activity_is_asked_for_by_its_type(web: Web) -> None:
    row = next(row for row in ROWS if row.name == "activitypub")
    play(web, MAKERS["activitypub"](sign(row.example), ""))
    verifier(web).check(link(row))
    assert _ACTIVITY in web.requests[0].headers["accept"]
