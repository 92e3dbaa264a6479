from __future__ import annotations

import pytest

from sealstead.formats.profile_toml import MAX_BYTES, ProfileError, parse_profile

WHOLE = b"""
[profile]
kind = "team"
display_name = "The \xc3\x84rzte"
[identity]
pypi_username = "ada"
[[profiles]]
kind = "github"
label = "GitHub"
url = "https://github.com/ada"
rel_me = true
stored_proof = "t:x"
[[contact_methods]]
kind = "email"
label = "Mail"
value = "ada@example.org"
audience = ["users", "press"]
visibility = "link"
[succession]
policy = "ask"
[[succession.contacts]]
name = "Grace"
scope = ["all"]
[verification]
public_key = "RWQ"
statements = ['''one
two''']
"""


def test_every_kind_of_value_is_read() -> None:
    profile, warnings = parse_profile(WHOLE)
    assert warnings == []
    assert (profile.profile.kind, profile.profile.display_name) == ("team", "The Ärzte")
    assert profile.identity.pypi_username == "ada"
    assert [(link.url, link.rel_me, link.stored_proof) for link in profile.profiles] == [
        ("https://github.com/ada", True, "t:x")
    ]
    assert profile.contact_methods[0].audience == ("users", "press")
    assert profile.succession.contacts[0].scope == ("all",)
    assert profile.verification.statements == ("one\ntwo",)


def test_an_empty_file_is_a_profile_of_defaults() -> None:
    profile, warnings = parse_profile(b"")
    assert (profile.profile.kind, profile.verification.public_key, warnings) == ("individual", "", [])


def test_pyproject_holds_the_same_tree_in_a_table() -> None:
    data = b'[project]\nname = "x"\n[tool.pypi-profile.identity]\npypi_username = "ada"\n'
    profile, warnings = parse_profile(data, table="tool.pypi-profile")
    assert (profile.identity.pypi_username, warnings) == ("ada", [])
    with pytest.raises(ProfileError, match=r"no table \[tool.pypi-profile\]"):
        parse_profile(b"[tool.other]\n", table="tool.pypi-profile")


def test_a_byte_order_mark_is_no_content() -> None:
    assert parse_profile(b'\xef\xbb\xbf[identity]\npypi_username = "a"\n')[0].identity.pypi_username == "a"


@pytest.mark.parametrize(
    ("data", "place", "fact"),
    [
        (b'[profile]\nkind = "individual\n', (2, 19), "not TOML"),
        (b'a = """\nnever ends', (2, 11), "not TOML"),
        (b'[profile]\n# caf\xe9\nkind = "team"\n', (2, 6), "not UTF-8: the byte 0xe9"),
        (b'[[profiles]]\nkind = "web"\nlabel = "x"\n', (1, 1), "profiles[1]: url is missing"),
        (
            b"\n[[profiles]]\nkind='web'\nlabel='x'\nurl='y'\n[[profiles]]\nkind='web'\nlabel=1\nurl='y'\n",
            (8, 1),
            "profiles[2].label: must be a string, not a number",
        ),
        (b"[profile]\nkind = 'teem'\n", (2, 1), "profile.kind: 'teem' is none of the known words"),
        (b"profile = 2020-01-01\n", (1, 1), "profile: must be a table, not a date"),
        (b"[profiles]\nkind = 'x'\n", (1, 1), "profiles: must be an array of tables, not a table"),
        (b"packages = [\n  {name = 'a'},\n  {name = 'b', state = 'gone'},\n]", (3, 16), "packages[2].state"),
        (b"[[profiles]]\nkind='a'\nlabel='b'\nurl='c'\nrel_me = 'yes'\n", (5, 1), "must be true or false"),
        (b"[identity]\nlocation = ['a']\n", (2, 1), "identity.location: must be a string, not an array"),
        (b"[hiring]\nwork_model = ['remote', 3]\n", (2, 25), "hiring.work_model[2]: must be a string"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_column(data: bytes, place: tuple[int, int], fact: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(data, source="my.toml")
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.message.startswith(f"my.toml:{place[0]}:{place[1]}: ")
    assert fact in caught.value.message


def test_every_mistake_is_listed() -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(b"[profile]\nkind = 'teem'\nsummary = 1\n", source="my.toml")
    assert caught.value.hint == "did you mean team?"
    assert caught.value.message.endswith("(and 1 more)")
    assert [fact.split(": ")[0] for fact in caught.value.all_facts] == ["my.toml:2:1", "my.toml:3:1"]


@pytest.mark.parametrize(
    ("data", "place", "key", "hint"),
    [
        (b"[verification]\npublickey = 'x'\n", (2, 1), "verification.publickey", "did you mean public_key?"),
        (b"[verificaton]\npublic_key = 'x'\n", (1, 1), "verificaton", "did you mean verification?"),
        (b"[profile]\nfavourite_tea = 'x'\n", (2, 1), "profile.favourite_tea", None),
        (b"[[packages]]\nname='a'\nstat='x'\n", (3, 1), "packages[1].stat", "did you mean state?"),
        (
            b"identity.pypi_user_name = 'x'\n",
            (1, 1),
            "identity.pypi_user_name",
            "did you mean pypi_username?",
        ),
    ],
)
def test_an_unknown_key_is_a_warning_with_the_nearest_name(
    data: bytes, place: tuple[int, int], key: str, hint: str | None
) -> None:
    _, warnings = parse_profile(data, source="my.toml")
    line, column = place
    assert [tuple(warning) for warning in warnings] == [
        (f"my.toml:{line}:{column}: unknown key {key}", hint, line, column)
    ]


def test_a_key_that_is_missing_is_looked_for_among_the_unknown() -> None:
    with pytest.raises(ProfileError, match="label is missing") as caught:
        parse_profile(b"[[profiles]]\nkind='x'\nlabl='x'\nurl='https://a.example'\n")
    assert caught.value.hint == "labl is unknown: did you mean label?"


@pytest.mark.parametrize(
    "data",
    {
        "nested without end": b"x = " + b"[" * 100_000,
        "a number of ten thousand digits": b"x = " + b"1" * 10_000,
        "too large": b"#" * (MAX_BYTES + 1),
        "a key twice": b"a = 1\na = 2\n",
        "NUL": b"a = 'x\0'\n",
    }.values(),
    ids=lambda data: f"{data[:8]!r}",
)
def test_what_is_no_profile_is_refused(data: bytes) -> None:
    with pytest.raises(ProfileError):
        parse_profile(data)


def test_of_very_many_mistakes_the_first_hundred_are_told() -> None:
    _, warnings = parse_profile("".join(f"[x{n}]\n" for n in range(50_000)).encode(), source="my.toml")
    assert len(warnings) == 101
    assert str(warnings[-1]) == "my.toml: 49900 more unknown keys"
    with pytest.raises(ProfileError, match=r"and 49999 more") as caught:
        parse_profile(b"[[packages]]\n" * 50_000)
    assert len(caught.value.all_facts) == 100
