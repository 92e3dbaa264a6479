"""`config`, the shared options, and the words before and after a command."""

from __future__ import annotations

import json

import pytest
from tests.pipeline import Pipeline


def test_set_get_list_unset(pipeline: Pipeline) -> None:
    assert pipeline.good("config", "path").out == f"{pipeline.config}\n"
    pipeline.good("config", "set", "SIGNSERVER", "https://sign.example.org")
    pipeline.good("config", "set", "noColor", "yes")
    assert json.loads(pipeline.config.read_text()) == {
        "signServer": "https://sign.example.org",
        "noColor": True,
    }
    assert pipeline.config.stat().st_mode & 0o777 == 0o600
    assert pipeline.good("config", "get", "signserver").out == "https://sign.example.org\n"
    assert pipeline.good("config", "list", "--json").json["noColor"] is True
    pipeline.good("config", "unset", "signServer")
    assert pipeline.run("config", "get", "signServer", "--json").error == "config-key-not-set"
    pipeline.good("config", "unset", "signServer")


def test_what_is_not_ours_survives(pipeline: Pipeline) -> None:
    pipeline.config.parent.mkdir()
    pipeline.config.write_bytes('\ufeff{"plugin": {"a": [1, "ü"]}, "label": "x"}\r\n'.encode())
    pipeline.good("config", "set", "theme", "dark")
    pipeline.good("config", "unset", "label")
    assert json.loads(pipeline.config.read_text()) == {"plugin": {"a": [1, "ü"]}, "theme": "Dark"}
    assert pipeline.good("config", "get", "plugin").out == '{"a": [1, "ü"]}\n'


@pytest.mark.parametrize("name", ["apiKey", "APIKEY", "api-key"])
def test_no_command_writes_a_key_into_the_settings(pipeline: Pipeline, name: str) -> None:
    done = pipeline.run("config", "set", name, "seal_x")
    assert done.code == 2
    assert "auth set-key" in done.err
    assert not pipeline.config.exists()


def test_a_key_written_by_hand_is_not_shown(pipeline: Pipeline) -> None:
    pipeline.config.parent.mkdir()
    pipeline.config.write_text('{"apiKey": "seal_secret"}')
    for arguments in (["list"], ["list", "--json"], ["list", "--all"], ["get", "apiKey"]):
        done = pipeline.run("config", *arguments)
        assert "seal_secret" not in done.out + done.err
    pipeline.good("config", "unset", "apiKey")
    assert json.loads(pipeline.config.read_text()) == {}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("theme", "pink", "config-value"),
        ("noColor", "perhaps", "config-value"),
        ("signServer", "sign.example.org", "config-value"),
        ("signServer", "http://sign.example.org", "server-address"),
        ("label", "", "config-value"),
        ("labell", "x", "unknown-config-key"),
    ],
)
def test_what_cannot_be_set(pipeline: Pipeline, key: str, value: str, error: str) -> None:
    done = pipeline.run("config", "set", key, value, "--json")
    assert (done.code, done.error) == (2, error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1,\n  b}', "line 2, column 3"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe{", "no JSON text"),
        (b"[" * 100_000, ""),
        (b'{"noColor": "perhaps"}', "neither true nor false"),
        (b'{"theme": 7}', "no text"),
        (b'{"theme": "\\u0000"}', "no text"),
    ],
)
def test_a_damaged_file_is_told_and_left_alone(pipeline: Pipeline, content: bytes, said: str) -> None:
    pipeline.config.parent.mkdir()
    pipeline.config.write_bytes(content)
    done = pipeline.run("config", "set", "label", "x", "--json")
    assert (done.code, done.error) == (1, "config-damaged")
    assert said in done.err
    assert pipeline.config.read_bytes() == content


def test_settings_stand_in_for_options(pipeline: Pipeline) -> None:
    pipeline.good("config", "set", "signServer", "https://127.0.0.1:1")
    pipeline.environment["SIGNOTAUR_API_KEY"] = "x"
    line = ("auth", "status", "--rf", "0")
    assert "https://127.0.0.1:1" in pipeline.run(*line).err
    pipeline.environment["SIGNOTAUR_SERVER"] = "http://127.0.0.1:2"
    assert "http://127.0.0.1:2" in pipeline.run(*line).err
    assert "http://127.0.0.1:3" in pipeline.run(*line, "-s", "http://127.0.0.1:3").err
    done = pipeline.run(*line, "-s", "http://sign.example.org", "--json")
    assert (done.code, done.error) == (2, "server-address")


def test_the_name_of_a_key_file_is_kept_as_a_path_from_anywhere(pipeline: Pipeline) -> None:
    pipeline.good("config", "set", "apiKeyFile", "key.txt")
    assert pipeline.good("config", "get", "apiKeyFile").out == f"{pipeline.here}/key.txt\n"


def test_the_banner_is_said_to_people_only(pipeline: Pipeline) -> None:
    assert pipeline.run("config", "list").err.startswith("SignotaurTool of Sealstead")
    for quiet in ("--no-banner", "--nb", "--json"):
        assert "SignotaurTool of" not in pipeline.run("config", "list", quiet).err


@pytest.mark.parametrize(
    "encoding", ["UTF8", "utf-8", "UTF16", "OEMCodePage", "CodePage1252", "codepage65001"]
)
def test_encodings_have_the_names_of_the_documentation(pipeline: Pipeline, encoding: str) -> None:
    assert pipeline.run("config", "path", "--encoding", encoding).code == 0


def test_an_encoding_that_nobody_knows(pipeline: Pipeline) -> None:
    done = pipeline.run("config", "path", "--encoding", "CodePage99999", "--json")
    assert (done.code, done.error) == (2, "encoding-name")


def test_update_says_what_takes_its_place(pipeline: Pipeline) -> None:
    done = pipeline.good("update", "-s", "https://sign.example.org", "--um", "SourceHash", "--rf", "2")
    assert done.out == "python -m pip install --upgrade sealstead\n"
