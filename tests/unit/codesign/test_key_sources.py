"""Where a key comes from, in the order of the mission document; and the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sealstead.codesign.config import ClientConfig
from sealstead.codesign.key_sources import (
    FoundKey,
    KeyFileError,
    KeySource,
    NoApiKeyError,
    NoServerError,
    TwoApiKeysError,
    UnusableKeyError,
    find_key,
    find_server,
)
from sealstead.custody.files import MissingFileError, UnsafeFileError
from sealstead.secret import Secret


@pytest.fixture
def config(tmp_path: Path) -> ClientConfig:
    (tmp_path / "config-key.txt").write_text("from-config-file\n")
    (tmp_path / "config-key.txt").chmod(0o600)
    return ClientConfig(tmp_path / "config.json", {"apiKeyFile": "config-key.txt", "apiKey": "by-hand"})


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text("from-file\n")
    path.chmod(0o600)
    return path


def find(config: ClientConfig, **facts: Any) -> FoundKey:
    return find_key(
        **{"argument": None, "key_file": None, "name": "SIGNOTAUR_API_KEY", "config": config, "environ": {}}
        | facts
    )


def test_argument_file_environment_config(config: ClientConfig, key_file: Path) -> None:
    everything = {
        "argument": Secret("from-argument"),
        "key_file": key_file,
        "environ": {"SIGNOTAUR_API_KEY": "from-env"},
    }
    order = []
    for leave_out in ("argument", "key_file", "environ", None):
        found = find(config, **everything)
        order.append((found.text.reveal(), found.source))
        everything.pop(str(leave_out), None)
    assert order == [
        ("from-argument", KeySource.ARGUMENT),
        ("from-file", KeySource.KEY_FILE),
        ("from-env", KeySource.ENVIRONMENT),
        ("from-config-file", KeySource.CONFIG),
    ]
    del config.values["apiKeyFile"]
    found = find(config)
    assert found.text.reveal() == "by-hand"
    assert "holds an API key" in found.warnings[0]
    del config.values["apiKey"]
    with pytest.raises(NoApiKeyError):
        find(config)


def test_a_named_source_that_fails_is_not_passed_over(config: ClientConfig, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        find(config, key_file=tmp_path / "none", environ={"SIGNOTAUR_API_KEY": "x"})
    (tmp_path / "empty").write_text("")
    with pytest.raises(KeyFileError):
        find(config, key_file=tmp_path / "empty", environ={"SIGNOTAUR_API_KEY": "x"})
    with pytest.raises(UnusableKeyError):
        find(config, argument=Secret(""), environ={"SIGNOTAUR_API_KEY": "x"})


def test_rotation_wants_one(config: ClientConfig, key_file: Path) -> None:
    with pytest.raises(TwoApiKeysError):
        find(config, argument=Secret("x"), key_file=key_file, exclusive=True)


def test_the_name_of_the_variable(config: ClientConfig, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nOTHER=two\n")
    assert find(config, key_file=tmp_path / ".env", name="OTHER").text.reveal() == "two"
    assert find(config, environ={"OTHER": " three\n"}, name="OTHER").text.reveal() == "three"


def test_a_mounted_secret_is_a_link_and_is_read(config: ClientConfig, key_file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(key_file)
    assert find(config, key_file=tmp_path / "link").text.reveal() == "from-file"


@pytest.mark.parametrize("what", ["directory", "pipe"])
def test_what_is_no_file(config: ClientConfig, tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    path.mkdir() if what == "directory" else os.mkfifo(path)
    with pytest.raises(UnsafeFileError):
        find(config, key_file=path)


def test_a_file_of_a_gigabyte_is_not_read(config: ClientConfig, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(KeyFileError, match="larger than 64 KiB"):
        find(config, key_file=tmp_path / "big")


def test_a_file_that_others_can_read_is_used_with_a_warning(config: ClientConfig, key_file: Path) -> None:
    key_file.chmod(0o644)
    assert "open to other users" in find(config, key_file=key_file).warnings[0]


@pytest.mark.parametrize("text", ["a\nX-Evil: 1", "a\rb", "schlüssel", "\x00"])
def test_what_could_not_stand_in_a_header(config: ClientConfig, text: str) -> None:
    with pytest.raises(UnusableKeyError) as refused:
        find(config, argument=Secret(text))
    assert text not in refused.value.message


def test_servers(config: ClientConfig) -> None:
    config.values["signServer"] = "https://c"
    environ = {"SIGNOTAUR_SERVER": "https://b"}
    assert find_server("https://a", config, environ) == "https://a"
    assert find_server(None, config, environ) == "https://b"
    assert find_server(None, config, {"SIGNOTAUR_SERVER": " "}) == "https://c"
    with pytest.raises(NoServerError):
        find_server(None, ClientConfig(config.path), {})
