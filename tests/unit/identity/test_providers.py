from __future__ import annotations

import re

import pytest

from sealstead.identity.providers import NotAnOwnersPageError, Place, Provider, choose, instructions, named
from sealstead.net.urls import BadUrlError

ROWS = list(named())


def kind_of(row: Provider) -> str:
    return row.kinds[0] if row.kinds else ""


def test_the_table_is_long_and_names_are_its_own() -> None:
    assert len(ROWS) >= 50
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len([row for row in ROWS if row.sources]) >= 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_chosen_by_its_own_example(row: Provider) -> None:
    match = choose(row.example, kind_of(row))[0]
    assert match.provider is row
    assert row.sources or row.closed
    for source in row.sources:
        assert source.place is not Place.JSON or source.where
        more = {}
        if source.first:
            assert "{" not in match.fill(source.first.url) + match.fill(source.first.otherwise)
            more = {source.first.name: "https://elsewhere.example"}
        filled = match.fill(source.url, **more)
        assert not set("{}<> ") & set(filled)
        for _, said in source.owner:
            assert match.fill(said)
        assert "<<" not in match.fill_json(source.body)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_says_where_to_paste(row: Provider) -> None:
    found, where = instructions(row.example, kind_of(row))
    assert found is row
    assert where
    assert "{" not in where


@pytest.mark.parametrize(
    ("url", "kind", "names"),
    [
        ("https://github.com/ada", "github", ["github"]),
        ("https://github.com/ada/", "", ["github"]),
        ("https://www.github.com/ada?tab=repositories", "", ["github"]),
        ("HTTPS://GitHub.com/ada", "", ["github"]),
        ("https://github.com/ada/engine", "", ["github-repository"]),
        ("https://gitlab.com/ada", "mastodon", ["gitlab"]),  # the host is what counts where it is known
        ("https://git.example.org/ada", "gitlab", ["gitlab", "page"]),
        ("https://git.example.org/ada/engine", "forgejo", ["forgejo-repository", "page"]),
        ("https://unix.stackexchange.com/users/12/ada?tab=profile", "", ["stack-exchange"]),
        ("https://pt.stackoverflow.com/users/12", "", ["stack-exchange"]),
        ("https://news.ycombinator.com/user?id=ada", "", ["hacker-news"]),
        ("https://social.example/@ada", "", ["mastodon", "page"]),
        ("https://social.example/@ada@other.example", "mastodon", ["mastodon", "page"]),
        ("https://social.example:8443/@ada", "", ["mastodon", "page"]),
        ("https://forum.example/u/ada", "", ["discourse", "lemmy", "page"]),
        ("https://forum.example/u/ada", "lemmy", ["lemmy", "discourse", "page"]),
        ("https://ada.example/", "", ["page"]),
        ("https://ada.example", "website", ["page"]),
        ("https://ada.example/", "domain", ["well-known", "page"]),
        ("https://ada.example/", "rel-me", ["rel-me", "page"]),
        ("https://matrix.to/#/@ada:example.org", "", ["matrix"]),
        ("matrix:u/ada:example.org", "", ["matrix"]),
        ("acct:ada@social.example", "", ["mastodon", "page"]),
        ("dns:example.org", "", ["dns"]),
        ("dns:example.org?type=TXT", "", ["dns"]),
        ("https://uk.linkedin.com/in/ada", "", ["linkedin"]),
        ("https://forum.example/u/ada", "forgejo", ["forgejo-repository", "discourse", "lemmy", "page"]),
        ("https://forum.example/u/ada", "rel-me", ["rel-me", "discourse", "lemmy", "page"]),
        ("https://github.com./ada", "", ["github"]),
        ("https://ada.github.io/", "", ["page"]),
        ("https://notgithub.com/ada", "", ["page"]),
        ("https://github.com.evil.example/ada", "", ["page"]),
    ],
)
def test_choices(url: str, kind: str, names: list[str]) -> None:
    assert [match.provider.name for match in choose(url, kind)] == names


def test_a_link_back_is_one_more_way() -> None:
    matches = choose("https://github.com/ada", "github", rel_me=True)
    assert [match.provider.name for match in matches] == ["github", "rel-me"]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/ada/engine/issues/1",  # anybody may comment there
        "https://github.com/ada/engine/wiki",
        "https://github.com/",
        "https://github.com/../evil",
        "https://github.com/%2e%2e/evil/x",
        "https://github.com/ada%2Fengine",
        "https://gist.github.com/ada",
        "https://gist.github.com/0123456789abcdef0123456789abcdef",
        "https://stackoverflow.com/questions/1234/why",
        "https://news.ycombinator.com/item?id=1",
        "https://lobste.rs/s/abc",
        "https://www.reddit.com/r/python/comments/abc/x",
        "https://orcid.org/0000-0000-0000",
        "https://matrix.to/#/#room:example.org",
        "https://keybase.io/",
        "https://new.reddit.com/r/python/comments/abc/x",
        "https://i.reddit.com/r/python/comments/abc/x",
        "https://api.github.com/repos/ada/engine/issues/1/comments",
        "https://raw.githubusercontent.com/ada/engine/refs/pull/1/head/README.md",
        "https://en.wikipedia.org/wiki/User:Ada",
        "https://lists.sr.ht/~ada/engine",
        "https://forum.gitlab.com/t/a-topic/12",
        "https://forum.gitlab.com/ada",
        "https://raw.githubusercontent.com/u/ada",
        "https://ada.bsky.social/u/ada",
        "https://github.com/u/ada/summary",
        "dns:",
        "dns:exa mple",
    ],
)
def test_pages_that_others_may_write_on(url: str) -> None:
    with pytest.raises(NotAnOwnersPageError) as caught:
        choose(url)
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["", "website", "discourse", "gitlab"])
def test_a_forum_on_a_host_below_a_known_site(kind: str) -> None:
    """It counts by what the forum says of the account, and never by what else stands on its page."""
    names = [match.provider.name for match in choose("https://forum.gitlab.com/u/ada", kind)]
    assert sorted(names) == ["discourse", "lemmy"]
    assert kind != "discourse" or names[0] == "discourse"


@pytest.mark.parametrize(
    "url",
    [
        "https://\uff47ithub.com/ada/engine/issues/1",
        "https://github\u3002com/ada/engine/issues/1",
        "https://git\u00adhub.com/ada/engine/issues/1",
        "https://git%68ub.com/ada/engine/issues/1",
        "acct:ada@\uff47ithub.com",
    ],
)
def test_a_known_host_in_disguise(url: str) -> None:
    """It would be a site that nobody knows, on whose pages a proof counts anywhere."""
    with pytest.raises(BadUrlError):
        choose(url)


def test_values_cannot_leave_their_place() -> None:
    """A value becomes part of another URL: nothing in it may change which one."""
    for row in ROWS:
        for path in row.paths:
            if "rest" in path or row.name == "dns":
                continue
            for evil in ("../x", "..", ".", "a?b", "a#b", "a%2Fb", "a/../b", 'a"b', "a\\b", "a b"):
                url = row.example.partition("//")[0] + "//" + row.example.split("/")[2] + "/"
                wanted = url + re.sub(r"\{[^}]*\}", evil, path).lstrip("/")
                try:
                    match = choose(wanted, kind_of(row))[0]
                except (NotAnOwnersPageError, BadUrlError):
                    continue
                values = {name: value for name, value in match.values.items() if name != "url"}
                assert evil not in values.values() or match.provider.name in ("page", "activitypub")


@pytest.mark.parametrize("url", ["https://[::1/", "https://x:99999/", "nonsense", "", "dns:"])
def test_instructions_never_fail(url: str) -> None:
    assert instructions(url)[1]


def test_instructions_for_what_cannot_be_checked() -> None:
    row, where = instructions("https://github.com/ada/engine/issues/1")
    assert row.name == "page"
    assert "only one owner" in where
