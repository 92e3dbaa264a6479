"""The defects of other editors by name: blank lines, trailing comments, quotes, inline tables, tables that stand apart."""

from __future__ import annotations

import tomllib

import pytest

from sealstead.errors import ParseError
from sealstead.formats.profile_edit import ProfileEditError, edit_profile


def test_only_the_value_changes() -> None:
    before = (
        "# mine\r\n[verification]   # keys\r\n\tpublic_key   =   'OLD'  # do not touch\r\nunknown = 0x1F\r\n"
        'text = """\npublic_key = "OLD"\n"""\n[other]\npublic_key = "OLD"\n'
    )
    assert edit_profile(before, public_key="NEW") == before.replace("'OLD'", "'NEW'", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    {
        "url is the last key before a blank line": (
            '[[profiles]]\nkind="a"\nurl = "u"\n\n[x]\n',
            '[[profiles]]\nkind="a"\nurl = "u"\nstored_proof = "P0"\n\n[x]\n',
        ),
        "a trailing comment": (
            '[[profiles]]\nurl = "u" # mine\n# next\n[x]\n',
            '[[profiles]]\nurl = "u" # mine\nstored_proof = "P0"\n# next\n[x]\n',
        ),
        "single quotes": ("[[profiles]]\nstored_proof = 'old'\n", "[[profiles]]\nstored_proof = 'P0'\n"),
        "indented": (
            "[[profiles]]\n    url = 'u'\n",
            "[[profiles]]\n    url = 'u'\n    stored_proof = \"P0\"\n",
        ),
        "no key of its own": (
            "  [[profiles]]\n  [profiles.more]\n    x = 1\n",
            '  [[profiles]]\n  stored_proof = "P0"\n  [profiles.more]\n    x = 1\n',
        ),
        "inline tables": (
            "profiles = [\n  { url = 'u' }, # one\n  {url='v'},\n]\n",
            "profiles = [\n  { url = 'u', stored_proof = \"P0\" }, # one\n  {url='v', stored_proof = \"P1\"},\n]\n",
        ),
        "an empty inline table": ("profiles = [{}]\n", 'profiles = [{ stored_proof = "P0" }]\n'),
        "an inline table with an inline table in it": (
            "profiles = [{ x = { y = 1 } }]\n",
            'profiles = [{ x = { y = 1 }, stored_proof = "P0" }]\n',
        ),
        "tables that stand apart": (
            "[[profiles]]\nurl='u'\n[x]\ny=1\n[[profiles]]\nurl='v'\n",
            "[[profiles]]\nurl='u'\nstored_proof = \"P0\"\n[x]\ny=1\n[[profiles]]\nurl='v'\nstored_proof = \"P1\"\n",
        ),
        "no line end at the end": ("[[profiles]]\nurl='u'", "[[profiles]]\nurl='u'\nstored_proof = \"P0\""),
        "line ends of Windows": (
            "[[profiles]]\r\nurl='u'\r\n\r\n",
            "[[profiles]]\r\nurl='u'\r\nstored_proof = \"P0\"\r\n\r\n",
        ),
        "a value of many lines": (
            '[[profiles]]\nstored_proof = """\nold""" # c\n',
            '[[profiles]]\nstored_proof = "P0" # c\n',
        ),
        "a byte order mark": (
            "\ufeff[[profiles]]\nurl='u'\n",
            "\ufeff[[profiles]]\nurl='u'\nstored_proof = \"P0\"\n",
        ),
    }.values(),
    ids=str.__len__,
)
def test_proofs_are_written_where_their_profile_is(before: str, after: str) -> None:
    tokens = {index: f"P{index}" for index in range(max(1, before.count("url")))}
    assert edit_profile(before, proofs=tokens) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[verification]\npublic_key = "K"\n'),
        ("[profile]\n", '[profile]\n\n[verification]\npublic_key = "K"\n'),
        ("a = 1", 'a = 1\n\n[verification]\npublic_key = "K"\n'),
        ("[verification]\n# none yet\n[x]\n", '[verification]\npublic_key = "K"\n# none yet\n[x]\n'),
        ("verification = {}\n", 'verification = { public_key = "K" }\n'),
        ("verification = { statements = [] }\n", 'verification = { statements = [], public_key = "K" }\n'),
        (
            "verification.preferred_signature_backend = 'minisign' # x\n[y]\n",
            "verification.preferred_signature_backend = 'minisign' # x\nverification.public_key = \"K\"\n[y]\n",
        ),
        ("[verification.more]\nx = 1\n", '[verification.more]\nx = 1\n\n[verification]\npublic_key = "K"\n'),
        ('"verification"."public_key" = ""\n', '"verification"."public_key" = "K"\n'),
    ],
)
def test_a_key_finds_a_place_in_every_shape(before: str, after: str) -> None:
    assert edit_profile(before, public_key="K") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '[project]\nname = "x"\n[tool.pypi-profile.verification]\npublic_key = ""\n[tool.ruff]\n',
            '[project]\nname = "x"\n[tool.pypi-profile.verification]\npublic_key = "K"\n[tool.ruff]\n',
        ),
        (
            "[verification]\npublic_key = 'other'\n[tool.pypi-profile]\n",
            "[verification]\npublic_key = 'other'\n[tool.pypi-profile]\n\n[tool.pypi-profile.verification]\npublic_key = \"K\"\n",
        ),
        (
            "[tool]\npypi-profile = { identity = { pypi_username = 'a' } }\n",
            "[tool]\npypi-profile = { identity = { pypi_username = 'a' }, verification = { public_key = \"K\" } }\n",
        ),
    ],
)
def test_pyproject_is_edited_in_its_own_table(before: str, after: str) -> None:
    assert edit_profile(before, table="tool.pypi-profile", public_key="K") == after


def test_key_proofs_and_statements_together() -> None:
    before = "[[profiles]]\nurl='u'\n"
    after = edit_profile(before, public_key="K", proofs={0: "P"}, statements=['a\n"b"\\', "c"])
    assert after == (
        before + 'stored_proof = "P"\n\n[verification]\npublic_key = "K"\n'
        'statements = [\n  "a\\n\\"b\\"\\\\",\n  "c",\n]\n'
    )
    assert edit_profile(after, public_key="K", proofs={0: "P"}, statements=['a\n"b"\\', "c"]) == after


def test_comments_among_the_statements_stay() -> None:
    before = '[verification]\nstatements = [\n    "one", # 2026\n    # the next\n]\n'
    assert edit_profile(before, statements=["one", "two"]) == (
        '[verification]\nstatements = [\n    "one",\n    "two", # 2026\n    # the next\n]\n'
    )
    assert edit_profile("[verification]\nstatements = ['a']\n", statements=["a", "b"]) == (
        "[verification]\nstatements = ['a', \"b\"]\n"
    )


@pytest.mark.parametrize("value", ["'", "\x00\x1f\x7f", 'a"b\\n', "é\u2028\U0001f511", "\r\n\t\b\f"])
@pytest.mark.parametrize("before", ["[verification]\npublic_key = 'x'\n", "", "verification = {}"])
def test_any_text_can_be_a_value(before: str, value: str) -> None:
    assert tomllib.loads(edit_profile(before, public_key=value))["verification"]["public_key"] == value


@pytest.mark.parametrize(
    "before",
    [
        "verification = 3\n",
        "[[verification]]\n",
        "profiles = 3\n",
        "[profiles]\n",
        "profiles = [1]\n",
        "x = 1\n",
    ],
)
def test_a_shape_without_a_place_is_refused(before: str) -> None:
    with pytest.raises(ProfileEditError):
        edit_profile(before, public_key="K", proofs={0: "P"})


def test_what_would_be_no_toml_any_more_is_refused() -> None:
    """A table that dotted keys have opened cannot be opened again: the result is read before it leaves."""
    with pytest.raises(ProfileEditError, match="leaves no safe place"):
        edit_profile("verification.more.x = 1\n", public_key="K")


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(ParseError):
        edit_profile("[", public_key="K")
