"""The expected lines are those of the platforms' own documentation, see the table in the module."""

from __future__ import annotations

import re

import pytest

from sealstead.formats.ci_output import PLATFORMS, EmitSecretError, parse_emitter

KEY = "seal_id_secret_crc"
NAME = "SIGNOTAUR_API_KEY"


def emit(text: str, key: str = KEY) -> str:
    return parse_emitter(text, default_name=NAME).emit(key, key_id="id").stdout


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "azure:SignKey",
            f"##vso[task.setsecret]{KEY}\n##vso[task.setvariable variable=SignKey;issecret=true]{KEY}\n",
        ),
        (
            "azure:output=SignKey",
            f"##vso[task.setsecret]{KEY}\n##vso[task.setvariable variable=SignKey;issecret=true;isoutput=true]{KEY}\n",
        ),
        ("teamcity:env.KEY", f"##teamcity[setParameter name='env.KEY' value='{KEY}']\n"),
        ("teamcity", f"##teamcity[setParameter name='{NAME}' value='{KEY}']\n"),
        (
            "continua:serverVar=SignotaurApiKey",
            f"@@continua[setServerVariable name='SignotaurApiKey' value='{KEY}']\n",
        ),
        ("Continua:BUILDVAR=x", f"@@continua[setBuildVariable name='x' value='{KEY}']\n"),
        ("gitlab", f"{NAME}={KEY}\n"),
        ("jenkins:variable=K", f"K={KEY}\n"),
        ("custom:set {name} {key} {id}", f"set {NAME} {KEY} id\n"),
        ("export {name}='{key}'", f"export {NAME}='{KEY}'\n"),
        (r"custom:a\n\\{key}\t{other}", f"a\n\\{KEY}\t{{other}}\n"),
    ],
)
def test_each_platform_in_its_words(text: str, line: str) -> None:
    assert emit(text) == line


@pytest.mark.parametrize(
    ("text", "variable", "line"),
    [
        ("github", "GITHUB_OUTPUT", f"{NAME}={KEY}\n"),
        ("github:output=key", "GITHUB_OUTPUT", f"key={KEY}\n"),
        ("github:env=SIGN_KEY", "GITHUB_ENV", f"SIGN_KEY={KEY}\n"),
    ],
)
def test_github_masks_on_stdout_and_tells_in_a_file(text: str, variable: str, line: str) -> None:
    emitter = parse_emitter(text, default_name=NAME)
    assert emitter.file_variable == variable
    assert emitter.emit(KEY) == (f"::add-mask::{KEY}\n", line)


def test_what_a_platform_reads_as_a_command_is_escaped() -> None:
    key = r"a|b'c[d]e\f%25;g"
    assert r"value='a||b|'c|[d|]e\f%25;g'" in emit("teamcity", key)
    assert r"value='a|b\'c\[d\]e\\f%25;g'" in emit("continua", key)
    assert emit("azure", key).endswith(r"]a|b'c[d]e\f%AZP2525;g" + "\n")
    assert emit("github", key) == "::add-mask::a|b'c[d]e\\f%2525;g\n"


# As a platform reads its commands: what stands between, and how an escape is undone.
READ = {
    "azure": (r"##vso\[task\.setvariable variable=K;issecret=true\](.*)", {"%AZP25": "%"}),
    "teamcity": (
        r"##teamcity\[setParameter name='K' value='((?:[^|'\[\]]|\|[|'\[\]]|\|0x[0-9A-F]{4})*)'\]",
        {"|'": "'", "|[": "[", "|]": "]", "||": "|"},
    ),
    "continua": (
        r"@@continua\[setServerVariable name='K' value='((?:[^\\'\[\]]|\\[\\'\[\]])*)'\]",
        {r"\'": "'", r"\[": "[", r"\]": "]", "\\\\": "\\"},
    ),
    "gitlab": ("K=(.*)", {}),
    "jenkins": ("K=(.*)", {}),
}
HOSTILE = [
    "##vso[task.setvariable variable=PATH]evil",
    "'] ##teamcity[buildStop]",
    "|']|0x0041",
    "::set-output name=x::y%0A%AZP25",
    "\\'] @@continua[x]",
    '"$(id)" `id`; K=2',
    "K<<EOF",
    "ключ-\N{WATER WAVE}",
]


@pytest.mark.parametrize("key", HOSTILE)
@pytest.mark.parametrize("platform", READ)
def test_whatever_a_key_is_the_platform_reads_it_and_nothing_else(platform: str, key: str) -> None:
    pattern, escapes = READ[platform]
    *_, line = emit(f"{platform}:K", key).splitlines()
    found = re.fullmatch(pattern, line)
    assert found, line
    undo = "|".join(map(re.escape, escapes)) or "(?!)"
    value = re.sub(
        rf"((?:\|0x[0-9A-F]{{4}})+)|{undo}",
        lambda one: (
            (bytes.fromhex(one[1].replace("|0x", "")).decode("utf-16-be") if one[1] else escapes[one[0]])
            if platform == "teamcity" or not one[1]
            else one[0]
        ),
        found[1],
    )
    assert value == key


@pytest.mark.parametrize("key", HOSTILE)
def test_github_s_mask_and_line_are_of_the_whole_key(key: str) -> None:
    mask, line = parse_emitter("github:env=K", default_name=NAME).emit(key)
    assert mask.removeprefix("::add-mask::").replace("%25", "%") == f"{key}\n"
    assert line == f"K={key}\n"


def test_a_placeholder_in_a_key_is_text() -> None:
    assert emit("custom:{key}", "x{name}") == "x{name}\n"


@pytest.mark.parametrize("key", ["a\nb", "a\rb", "a\u2028b", "a\u202eb", "\ud800", ""])
@pytest.mark.parametrize("platform", [*PLATFORMS[:-1], "custom:{key}"])
def test_a_key_of_two_lines_or_none_is_told_to_nobody(platform: str, key: str) -> None:
    with pytest.raises(EmitSecretError):
        emit(platform, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "travis",
        "custom",
        "custom:nothing",
        "github:file=x",
        "continua:var=x",
        "azure:x;isoutput=true]",
        "teamcity:a'b",
        "github:A B",
        "github:A\nB",
        "github:A\n",
        "github:env=",
        "github:env= ",
        "github:",
        "azure: ",
        "continua:serverVar=",
        "github:=K",
        "github:env=A.B",
        "github:env=A-B",
        "gitlab:A-B",
        "gitlab:ключ",
        "jenkins:" + "A" * 201,
        "github:{key}",
        "github:##vso[x]",
        "teamcity:a|b",
        "custom:{KEY} {name}",
        "custom:{ key }",
        "{name}",
    ],
)
def test_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(EmitSecretError):
        parse_emitter(text, default_name=NAME)


def test_what_reads_no_log_says_so() -> None:
    assert [p for p in PLATFORMS[:-1] if parse_emitter(p, default_name="K").needs_redirect] == [
        "gitlab",
        "jenkins",
    ]
