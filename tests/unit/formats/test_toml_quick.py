"""The quick reader says what `tomllib` says, whatever stands in the text."""

from __future__ import annotations

import tomllib

import pytest

from sealstead.formats.toml_quick import loads

LONG = "pypi-profile-proof: " + "A1b2_-" * 20
MARK = "\ufdd0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f'a = "{LONG}"\nb = ["{LONG}", "{LONG}x"]\n[c]\nd = {{ e = "{LONG}" }}\n',
        f'a = """\n"{LONG}"\n"""\nb = """{LONG}"""\n',
        f"a = '\"{LONG}\"'\nb = '''\n\"{LONG}\"'''\n",
        f'a = 1 # "{LONG}"\n# "{LONG}"\n',
        f'a = "\\"{LONG}\\""\n',
        f'"{LONG}" = 1\n["{LONG}x"]\n',
        f'a = "{MARK}0;"\nb = "{LONG}"\n',
        f'a = "\\uFDD00;"\nb = "{LONG}"\nc = "\\U0000fdd00;"\n',
        f'a."b"."{LONG}"."c" = "{LONG}"\n',
        'a."b"' + ".c" * 30 + '."d" = 1\n',
        'a = {"b" = 1' + " " * 50 + ', "c" = 2}\n',
        f'a = 1.50\nb = 2026-11-21\nc = true\nd = "{LONG}"\n[[e]]\nf = "{LONG}"\n[[e]]\n',
    ],
)
def test_it_reads_the_same(text: str) -> None:
    assert loads(text) == tomllib.loads(text, parse_float=str)


@pytest.mark.parametrize(
    "text",
    [
        f'a = "{LONG}"\nb = \n',
        f'a = "{LONG}\n',
        f'a = "{LONG}" "{LONG}"\n',
        f'"{LONG}" = 1\n"{LONG}" = 2\n',
        f'{"a" * 50} = 1\n"{"a" * 50}" = 2\n',
        'a = "b" ' + "c" * 50 + ' "d"\n',
        f'a = "{LONG}"\na = "{LONG}"\n',
        f'a = {MARK}0;\nb = "{LONG}"\n',
    ],
)
def test_a_mistake_is_told_with_its_own_place(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as expected:
        tomllib.loads(text)
    with pytest.raises(tomllib.TOMLDecodeError) as found:
        loads(text)
    assert str(found.value) == str(expected.value)
