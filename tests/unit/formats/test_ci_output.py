"""The expected lines are those of the platforms' own documentation, see the table in the module."""

from __future__ import annotations

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


def test_a_placeholder_in_a_key_is_text() -> None:
    assert emit("custom:{key}", "x{name}") == "x{name}\n"


@pytest.mark.parametrize("platform", [*PLATFORMS[:-1], "custom:{key}"])
def test_a_key_of_two_lines_is_told_to_nobody(platform: str) -> None:
    with pytest.raises(EmitSecretError):
        emit(platform, "a\nb")


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
