from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.net import urls
from sealstead.net.urls import BadUrlError, join, parse_url, same_site


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://Example.ORG", "https://example.org/"),
        ("HTTP://example.org:80/a?b=c#fragment", "http://example.org/a?b=c"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org/ä/%20?q=ü", "https://example.org/%C3%A4/%20?q=%C3%BC"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example./", "https://xn--bcher-kva.example/"),
        ("https://[2606:2800::1]/", "https://[2606:2800::1]/"),
        ("https://example.org./x", "https://example.org/x"),
        ("https://example.org/@ada", "https://example.org/@ada"),
    ],
)
def test_what_is_fetched(url: str, same: str) -> None:
    assert parse_url(url).url == same


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "gopher://example.org/",
        "https://",
        "https:///path",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org\\@evil.example/",
        "https://example.org/a b",
        "https://example.org/a\r\nHost: evil",
        "https://example.org:99999/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://[example.org]/",
        "https://exa mple.org/",
        "https://..example/",
        "https://a..b/",
        "https://\uff47ithub.com/",
        "https://github\u3002com/",
        "https://git\u200bhub.com/",
        "https://fa\u00df.example/",  # two versions of IDNA lead to two hosts
        "https://-/",
        "https://example.org/" + "a" * 3000,
    ],
)
def test_what_is_not(url: str) -> None:
    with pytest.raises(BadUrlError):
        parse_url(url)


def test_ports_of_other_protocols_are_told_apart() -> None:
    assert not parse_url("http://example.org:25/").has_usual_port
    assert parse_url("http://example.org:8000/").has_usual_port


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/b", "https://example.org/b"),
        ("c?d", "https://example.org/a/c?d"),
        ("//other.example/", "https://other.example/"),
        ("http://example.org/", "http://example.org/"),
    ],
)
def test_references(reference: str, url: str) -> None:
    assert join(parse_url("https://example.org/a/b"), reference).url == url


@pytest.mark.parametrize("reference", ["http://[::1", "http://\u2100/", "//[x]/", "http://a:99999/"])
def test_references_that_lead_nowhere(reference: str) -> None:
    with pytest.raises(BadUrlError):
        join(parse_url("https://example.org/a/b"), reference)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.org/", "https://www.example.org/x", True),
        ("http://example.org/", "https://example.org/", True),
        ("https://example.org/", "http://example.org/", False),
        ("https://example.org/", "https://ada.example.org/", False),
        ("https://example.org/", "https://example.org.evil.example/", False),
        ("https://example.org/", "https://example.org:8443/", False),
    ],
)
def test_sites(one: str, other: str, same: bool) -> None:
    assert same_site(parse_url(one), parse_url(other)) is same


@given(st.from_regex(urls._PLAIN, fullmatch=True))
def test_a_plain_url_is_read_as_any_other(url: str) -> None:
    assert parse_url(url) == urls._parse_any(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:43867/ada/0",
        "https://a.example/x//y/../z.html",
        "https://example.org:65535/",
        "https://example.org/~ada",
        "http://h/\n",
    ],
)
def test_a_plain_url_is_read_as_any_other_or_refused_as_any_other(url: str) -> None:
    try:
        expected = urls._parse_any(url)
    except BadUrlError:
        with pytest.raises(BadUrlError):
            parse_url(url)
    else:
        assert parse_url(url) == expected
