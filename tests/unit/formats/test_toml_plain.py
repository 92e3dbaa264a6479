"""What is plain is read as `tomllib` reads it; of anything else nothing is said."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealstead.formats.toml_plain import read_plain

WORDS = [
    '"a"',
    '"b c"',
    "a",
    "b",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    ",",
    "\n",
    " ",
    "#",
    "true",
    "'a'",
    "\t",
    "1",
    ".",
]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        'a = "x"',
        '# begin\n\n  a = "x" # why\r\nb="\u00e4 #"\n\t[c]\nd = true\ne = false#\n',
        '[[p]]\nurl = "https://a.example/"\n[[p]]\n[v]\nkey = ""\n[[p]]\nurl = "z"\n',
        'a = ["x", "y",\n  "z" ]\nb = []\nc = [ ]\nd = [\n  "x",\n]\n',
    ],
)
def test_what_is_plain_is_read(text: str) -> None:
    assert read_plain(text) == tomllib.loads(text)
    assert read_plain(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        'a = "x" b = "y"',
        "a = 1",
        "a = 'x'",
        'a = """x"""',
        'a = "\\n"',
        'a = "\t"',
        'a = "\x7f"',
        "# \x00",
        'a = "x\n"',
        'a = "x"\ra = "y"',
        'a = ["x" "y"]',
        "a = [,]",
        'a = ["x", # why\n]',
        "a = truest",
        'a.b = "x"',
        '"a" = "x"',
        "a = {}",
        "[a.b]",
        "[ a ]",
        "[a]\n[a]",
        "[[a]]\n[a]",
        "[a]\n[[a]]",
        'a = "x"\na = "y"',
        'a = "x"\n[a]',
        'a = []\n[[a]]\nb = "x"',
        '[a]b = "x"',
        "[[a]\n",
        "a = \n",
    ],
)
def test_of_anything_else_nothing_is_said(text: str) -> None:
    assert read_plain(text) is None


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_it_never_says_anything_else_than_tomllib(text: str) -> None:
    found = read_plain(text)
    if found is not None:
        assert found == tomllib.loads(text)
