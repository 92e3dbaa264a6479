"""`key-password`: the same key, under another passphrase or none, on disk and in the keyring."""

from __future__ import annotations

import base64
import json

import pytest
from tests.keys import key, key_file
from tests.publisher import Publisher

from sealstead.formats.minisign import SecretKeyFile, parse_secret_key
from sealstead.secret import Secret


def secret(publisher: Publisher, name: str = "minisign.key") -> SecretKeyFile:
    return parse_secret_key((publisher.keys / name).read_bytes())


def entry(publisher: Publisher, identity: str = "default") -> bytes:
    return base64.b64decode(json.loads(publisher.entries.read_text())[f"pypi-profile/{identity}"])


def test_set_change_remove(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--json").json
    done = publisher.good("key-password", "set", "--password-stdin", "--json", stdin="one\n").json
    assert (done["key_id"], done["encrypted"]) == (made["key_id"], True)
    assert secret(publisher).open(Secret("one")).public.id == made["key_id"]
    publisher.good("key-password", "change", "--password-stdin", stdin="one\ntwo\n")
    assert secret(publisher).open(Secret("two")).public.id == made["key_id"]
    assert publisher.good("key-info", "--json").json["encrypted"] is True
    publisher.good("key-password", "remove", "--password-stdin", stdin="two\n")
    assert secret(publisher).open().public.id == made["key_id"]
    assert (publisher.keys / "minisign.key").stat().st_mode & 0o777 == 0o600
    assert publisher.good("key-list", "--json").json[0]["encrypted"] is False


def test_at_a_terminal_it_asks(publisher: Publisher) -> None:
    publisher.good("keygen")
    publisher.good("key-password", "set", answers="one\none\n")
    publisher.good("key-password", "change", answers="one\ntwo\ntwo\n")
    secret(publisher).open(Secret("two"))


def test_files_and_environment_serve_too(publisher: Publisher) -> None:
    publisher.good("keygen")
    for name in ("one", "two"):
        (publisher.here / name).write_text(name)
    publisher.good("key-password", "set", "--password-file", "one")
    publisher.good("key-password", "change", "--password-file", "one", "--new-password-file", "two")
    publisher.environment |= {
        "PYPI_PROFILE_KEY_PASSWORD": "two",
        "PYPI_PROFILE_NEW_KEY_PASSWORD": "three",
    }
    publisher.good("key-password", "change")
    secret(publisher).open(Secret("three"))


def test_the_present_passphrase_of_the_environment_is_never_the_new_one(publisher: Publisher) -> None:
    publisher.good("keygen")
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "one"
    publisher.good("key-password", "set")
    done = publisher.run("key-password", "change", "--json")
    assert (done.code, done.error) == (2, "new-passphrase")


def test_the_keyring_follows(publisher: Publisher) -> None:
    publisher.use_keyring()
    publisher.good("keygen")
    publisher.good("key-password", "set", "--password-stdin", stdin="one\n")
    assert entry(publisher) == (publisher.keys / "minisign.key").read_bytes()
    assert parse_secret_key(entry(publisher)).encrypted


def test_another_key_in_the_keyring_is_left_alone(publisher: Publisher) -> None:
    publisher.use_keyring()
    publisher.good("keygen")
    other = {"pypi-profile/default": base64.b64encode(key_file(1)).decode()}
    publisher.entries.write_text(json.dumps(other))
    publisher.good("key-password", "set", "--password-stdin", stdin="one\n")
    assert json.loads(publisher.entries.read_text()) == other


@pytest.mark.parametrize("mode", ["ok", "locked-set"])
def test_a_key_in_the_keyring_alone_goes_to_the_disk_first(publisher: Publisher, mode: str) -> None:
    """A keyring that breaks while it is written must not break the only copy."""
    publisher.use_keyring()
    made = publisher.good("keygen", "--json").json
    for name in ("minisign.key", "minisign.pub"):
        (publisher.keys / name).unlink()
    publisher.use_keyring(mode)
    publisher.good("key-password", "set", "--password-stdin", stdin="one\n")
    on_disk = (publisher.keys / "minisign.key").read_bytes()
    assert parse_secret_key(on_disk).open(Secret("one")).public.id == made["key_id"]
    assert (entry(publisher) == on_disk) == (mode == "ok")
    info = publisher.good("key-info", "--json").json
    assert (info["key_id"], info["stored"]) == (made["key_id"], ["disk", "keyring"])


@pytest.mark.parametrize(
    ("encrypted", "arguments", "stdin", "code", "error"),
    [
        (True, ["set", "--password-stdin"], "x\n", 1, "passphrase-state"),
        (False, ["change", "--password-stdin"], "x\ny\n", 1, "passphrase-state"),
        (False, ["remove", "--password-stdin"], "x\n", 1, "passphrase-state"),
        (True, ["change", "--password-stdin"], "wrong\nnew\n", 3, "wrong-passphrase"),
        (True, ["remove", "--password-stdin"], "wrong\n", 3, "wrong-passphrase"),
        (True, ["remove"], "", 3, "passphrase-needed"),
        (True, ["change", "--password-stdin"], "right\n", 2, "passphrase"),
        (True, ["change", "--password-stdin"], "right\n\n", 2, "passphrase"),
        (False, ["set"], "", 2, "new-passphrase"),
        (False, ["erase"], "", 2, "usage"),
        (False, [], "", 2, "usage"),
    ],
)
def test_a_refusal_changes_nothing(
    publisher: Publisher, encrypted: bool, arguments: list[str], stdin: str, code: int, error: str
) -> None:
    publisher.good("keygen", *(["--password-stdin"] if encrypted else []), stdin="right\n")
    before = (publisher.keys / "minisign.key").read_bytes()
    done = publisher.run("key-password", *arguments, "--json", stdin=stdin)
    assert (done.code, done.error) == (code, error)
    assert (publisher.keys / "minisign.key").read_bytes() == before


def test_a_dry_run_asks_and_checks_and_writes_nothing(publisher: Publisher) -> None:
    publisher.good("keygen", "--password-stdin", stdin="right\n")
    before = (publisher.keys / "minisign.key").read_bytes()
    publisher.good("key-password", "remove", "--dry-run", "--password-stdin", stdin="right\n")
    assert publisher.run("key-password", "remove", "--dry-run", "--password-stdin", stdin="no\n").code == 3
    assert (publisher.keys / "minisign.key").read_bytes() == before


def test_a_key_of_another_tool_gets_its_public_half_beside_it(publisher: Publisher) -> None:
    """Encrypted, the file no longer tells which key it is."""
    publisher.keys.mkdir(mode=0o700)
    (publisher.keys / "minisign.work.key").write_bytes(key_file(1))
    publisher.good("key-password", "set", "--keyring-identity", "work", "--password-stdin", stdin="x\n")
    info = publisher.good("key-info", "--keyring-identity", "work", "--json").json
    assert info["key_id"] == key(1).public.id


def test_a_named_file_is_changed_in_its_place(publisher: Publisher) -> None:
    (publisher.here / "my.key").write_bytes(key_file(1))
    publisher.good("key-password", "set", "--key", "my.key", "--password-stdin", stdin="x\n")
    file = parse_secret_key((publisher.here / "my.key").read_bytes())
    assert file.open(Secret("x")).public == key(1).public
    assert (publisher.here / "my.key").stat().st_mode & 0o777 == 0o600
