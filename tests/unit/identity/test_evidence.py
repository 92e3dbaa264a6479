from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.identity.evidence import NotJsonError, parse_json, readings, texts_at, values_at

VALUE = {"a": {"b.c": "dotted", "n": 7}, "l": [{"x": "one"}, {"x": "two"}, "three"], "t": {"p": {"x": "p"}}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a/b.c", ["dotted"]),
        ("l/*/x", ["one", "two"]),
        ("l/1/x", ["two"]),
        ("l/9/x", []),
        ("l/-1/x", []),
        ("t/*/x", ["p"]),
        ("a/n", []),  # no text
        ("a/b.c/deeper", []),
        ("missing/x", []),
    ],
)
def test_paths(path: str, found: list[str]) -> None:
    assert texts_at(VALUE, (path,)) == found


def test_values_are_counted() -> None:
    assert len(values_at([[0] * 2000] * 2000, "*/*")) == 1000


@pytest.mark.parametrize("data", [b"", b"<html>", b"[" * 100_000, b'{"a":', b"\xff\xfe"])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse_json(data)


@pytest.mark.parametrize(
    "text",
    [
        "pypi-profile-proof: abcdef",
        "<p>pypi-profile-proof: abcdef</p>",
        "pypi-profile-proof:&nbsp;abc<wbr>def",
        "pypi-profile-proof: abc\u200bdef",
        "<b>pypi-profile-proof:</b> abc<span class='x'>def</span>",
        "pypi&#45;profile-proof: abc&shy;def",
    ],
)
def test_a_text_however_a_site_dresses_it(text: str) -> None:
    assert any("pypi-profile-proof: abcdef" in view.replace("\xa0", " ") for view in readings(text))


@pytest.mark.parametrize("reference", ["&#" + "1" * 5000 + ";", "&#x" + "1" * 5000 + ";", "&#" + "9" * 9])
def test_numbers_of_no_character(reference: str) -> None:
    """Python refuses to read the first, and with it would go all other claims."""
    assert any("one two" in view for view in readings(f"{reference}one <b>two</b>"))


def test_numbers_that_json_cannot_say_again() -> None:
    value = parse_json(b'{"a": 1e999, "b": -1e999, "c": 1.5, "d": NaN, "e": Infinity}')
    assert value == {"a": None, "b": None, "c": 1.5, "d": None, "e": None}


@pytest.mark.parametrize(
    "hostile",
    [
        "<!--" * 500_000,
        "<a " * 600_000,
        "<a x='" * 300_000,
        "<" * 2_000_000,
        "<script" * 300_000,
        "&" * 2_000_000,
        "&#" * 1_000_000,
        "&#" + "1" * 2_000_000,
        "&#1" * 200_000,
    ],
)
def test_hostile_pages_take_no_longer(hostile: str) -> None:
    began = time.process_time()
    list(readings(hostile))
    assert time.process_time() - began < 30  # below a second; where it is looked at twice, hours


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    list(readings(text))
