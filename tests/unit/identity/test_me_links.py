from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.identity.me_links import me_links


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ('<a rel="me" href="https://a.example/">x</a>', {"https://a.example/"}),
        ("<A HREF='https://a.example/' REL='nofollow ME noopener'>", {"https://a.example/"}),
        ("<link rel=me href=https://a.example/x>", {"https://a.example/x"}),
        ('<a href="https://a.example/?a=1&amp;b=2" rel="me">', {"https://a.example/?a=1&b=2"}),
        ('<a rel="home" href="https://a.example/">', set()),
        ('<a data-rel="me" href="https://a.example/">', set()),
        ('<!-- <a rel="me" href="https://evil.example/"> -->', set()),
        ('<!-- <a rel="me" href="https://evil.example/">', set()),
        ('<script>"<a rel=me href=https://evil.example/>"</script>', set()),
        ("&lt;a rel=me href=https://evil.example/&gt;", set()),
        ('<a rel="me">', set()),
        # What a stranger wrote into a search box, a draft, a title, and other places that are no links.
        ('<input value="<a rel=me href=https://evil.example/>">', set()),
        ("<input value='<a rel=me href=https://evil.example/>'>", set()),
        ('<input value = "\'><a rel=me href=https://evil.example/>">', set()),
        ("<textarea><a rel=me href=https://evil.example/></textarea>", set()),
        ("<TITLE><a rel=me href=https://evil.example/></title >", set()),
        ("<title></titles><a rel=me href=https://evil.example/>", set()),
        ("<template><a rel=me href=https://evil.example/></template>", set()),
        ("<noscript><a rel=me href=https://evil.example/></noscript>", set()),
        ("<iframe><a rel=me href=https://evil.example/></iframe>", set()),
        ("<![CDATA[<a rel=me href=https://evil.example/>]]>", set()),
        ("<!-- > <a rel=me href=https://evil.example/> -->", set()),
        ('<b x="> <a rel=me href=https://evil.example/>', set()),
        ('<a rel="nofollow" rel="me" href="https://evil.example/">', set()),
        ("</a rel=me href=https://evil.example/>", set()),
        ("<abbr rel=me href=https://evil.example/>", set()),
        # And what stands after them.
        ('<input value="<"><a rel=me href=https://a.example/>', {"https://a.example/"}),
        ("<title><b></title><a rel=me href=https://a.example/>", {"https://a.example/"}),
        ("<!--><a rel=me href=https://a.example/>", {"https://a.example/"}),
        ("<!doctype html><a rel=me href=https://a.example/>", {"https://a.example/"}),
        ("1 < 2 </ > <br/><a/rel=me\thref='https://a.example/'>", {"https://a.example/"}),
        ("<p title=it's><a rel=me href=https://a.example/>", {"https://a.example/"}),
    ],
)
def test_links_that_say_me(page: str, links: set[str]) -> None:
    assert me_links(page) == links


@pytest.mark.parametrize(
    "hostile",
    [
        "<a " + "a" * 2_000_000 + ">",
        "<a " + "a" * 2_000_000,
        "<a " + "a " * 1_000_000 + ">",
        "<a " + "a=" * 1_000_000 + ">",
        "<a " + " =" * 1_000_000 + ">",
        "<a a" + " " * 2_000_000 + ">",
        "<a a=" + " " * 2_000_000,
        "<a x='" * 300_000,
        "<a x=' <a x=\" " * 150_000,
        "<a x='y'" * 250_000,
        "<a " * 600_000,
        "<a>" * 600_000,
        "</" * 1_000_000,
        "<" * 2_000_000,
        "<!--" * 500_000,
        "<!-->" * 400_000,
        "<![CDATA[" * 200_000,
        "<?" * 1_000_000,
        "<script" * 300_000,
        "<script>" * 250_000,
        "<title></titlex" * 120_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_pages_take_no_longer(hostile: str) -> None:
    began = time.process_time()
    me_links(hostile)
    assert time.process_time() - began < 30  # a second; where it is looked at twice, hours


@given(st.text(max_size=200) | st.text("<>/!-=\"' \tabelmrhftix", max_size=60))
def test_any_text_is_read(text: str) -> None:
    me_links(text)
