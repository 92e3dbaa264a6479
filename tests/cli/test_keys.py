"""`key-info` and `key-list`: the key that signs here, and all the others."""

from __future__ import annotations

import base64
import json

import pytest
from tests.keys import key, key_file
from tests.publisher import Publisher

from sealstead.formats.minisign import serialize_public_key


def put(publisher: Publisher, name: str, content: bytes) -> None:
    publisher.keys.mkdir(mode=0o700, exist_ok=True)
    path = publisher.keys / name
    path.write_bytes(content)
    path.chmod(0o600)


def test_no_key_is_exit_3(publisher: Publisher) -> None:
    done = publisher.run("key-info", "--json")
    assert (done.code, done.error, done.out) == (3, "no-key", "")
    assert not publisher.keys.exists()
    assert "keygen" in publisher.run("key-info").err


def test_everything_about_a_key(publisher: Publisher) -> None:
    publisher.write_profile(username="ada")
    made = publisher.good("keygen", "--json").json
    info = publisher.good("key-info", "--json").json
    assert info["generated"].endswith("Z")
    assert {**info, "generated": ""} == {
        "not_found": False,
        "identity": "ada",
        "source": "disk",
        "path": str(publisher.keys / "minisign.ada.key"),
        "key_id": made["key_id"],
        "public_key": made["public_key"],
        "generated": "",
        "state": "active",
        "revoked_at": None,
        "stored": ["disk"],
        "encrypted": False,
        "profile_binding": f"matches ({publisher.profile})",
    }
    text = publisher.good("key-info").out
    assert all(str(info[part]) in text for part in ("identity", "key_id", "public_key", "generated", "path"))


def test_ids_are_minisign_s_own(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1))
    stored = key(1).public.key_id
    assert publisher.good("key-info", "--json").json["key_id"] == stored[::-1].hex().upper()


@pytest.mark.parametrize(
    ("line", "binding"),
    [
        (key(1).public.line, "matches"),
        (key(2).public.line, "mismatch"),
        ("", "absent"),
        (None, "no profile TOML found"),
    ],
)
def test_the_binding_to_the_profile(publisher: Publisher, line: str | None, binding: str) -> None:
    put(publisher, "minisign.key", key_file(1))
    if line is not None:
        publisher.write_profile(public_key=line)
    assert publisher.good("key-info", "--json").json["profile_binding"].startswith(binding)


def test_a_profile_that_names_rubbish_is_told(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1))
    publisher.write_profile(public_key="rubbish")
    done = publisher.run("key-info", "--json")
    assert (done.code, done.error) == (1, "minisign-format")
    assert "pypi_profile.toml:6:1: verification.public_key: " in done.err
    verify = publisher.run("verify", "--json")
    assert (verify.code, verify.error) == (1, "no-public-key")
    assert "keygen" not in verify.err  # there is a key; it is its name that is wrong


def test_the_key_that_the_profile_names_wins_over_the_identity_s(publisher: Publisher) -> None:
    put(publisher, "minisign.ada.key", key_file(1))
    put(publisher, "minisign.work.key", key_file(2))
    publisher.write_profile(username="ada", public_key=key(2).public.line)
    assert publisher.good("key-info", "--json").json["identity"] == "work"
    named = publisher.good("key-info", "--keyring-identity", "ada", "--json").json
    assert (named["identity"], named["profile_binding"][:8]) == ("ada", "mismatch")


def test_a_key_made_before_the_profile_is_found(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--json").json
    publisher.write_profile(username="ada")
    assert publisher.good("key-info", "--json").json["key_id"] == made["key_id"]


def test_an_encrypted_key_is_told_by_its_public_half_or_its_passphrase(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1, "pass"))
    unknown = publisher.good("key-info", "--json").json
    assert (unknown["key_id"], unknown["encrypted"]) == (None, True)
    opened = publisher.good("key-info", "--json", "--password-stdin", stdin="pass\n").json
    assert opened["key_id"] == key(1).public.id
    wrong = publisher.run("key-info", "--json", "--password-stdin", stdin="wrong\n")
    assert (wrong.code, wrong.error) == (3, "wrong-passphrase")
    put(publisher, "minisign.pub", serialize_public_key(key(1).public))
    assert publisher.good("key-info", "--json").json["key_id"] == key(1).public.id


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "minisign-format"),
        (serialize_public_key(key(1).public), "minisign-format"),
        (key_file(1)[:200], "minisign-format"),
        (key_file(1).replace(key_file(1)[-20:-10], b"A" * 10), "damaged-key"),
    ],
)
def test_a_key_file_that_is_none_is_told(publisher: Publisher, content: bytes, code: str) -> None:
    put(publisher, "minisign.key", content)
    done = publisher.run("key-info", "--json")
    assert (done.code, done.error) == (1, code)
    assert "minisign.key" in done.err
    listed = publisher.good("key-list", "--json").json
    assert listed[0]["problem"]


def test_a_damaged_key_is_no_key_that_could_be_rotated(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1)[:200])
    done = publisher.run("keygen")
    assert done.code == 1
    assert "is no key that can be read" in done.err
    assert "key-import" in done.err
    assert "key-rotate" not in done.err


@pytest.mark.parametrize("command", ["key-info", "key-list", "keygen", "key-rotate", "sign-file x"])
def test_a_key_directory_where_nobody_can_go_is_no_mistake_of_ours(
    publisher: Publisher, command: str
) -> None:
    nowhere = publisher.here / ("d" * 300)
    done = publisher.run(*command.split(), "--key-dir", nowhere)
    assert done.code == 3
    assert str(nowhere) in done.err


@pytest.mark.parametrize(
    "arguments", ["validate {}", "key-export --output {}/x", "verify-file {}", "doctor {}"]
)
def test_a_path_where_nobody_can_go_is_no_mistake_of_ours(publisher: Publisher, arguments: str) -> None:
    publisher.good("keygen")
    nowhere = publisher.here / ("d" * 300)
    done = publisher.run(*arguments.format(nowhere).split(), "--json")
    assert (done.code, done.error) == (2, "unusable-path")
    assert str(nowhere) in done.err


def test_a_damaged_key_without_a_checksum_is_told(publisher: Publisher) -> None:
    """As `minisign -W` writes them: nothing but the two halves of the key tells that a bit was flipped."""
    head, line = key_file(1).splitlines()
    body = bytearray(base64.b64decode(line))
    body[126:] = bytes(32)
    put(publisher, "minisign.key", head + b"\n" + base64.b64encode(body) + b"\n")
    assert publisher.good("key-info", "--json").json["key_id"] == key(1).public.id
    body[70] ^= 1
    put(publisher, "minisign.key", head + b"\n" + base64.b64encode(body) + b"\n")
    done = publisher.run("key-info", "--json")
    assert (done.code, done.error) == (1, "damaged-key")


def test_a_key_that_was_put_among_the_archived_is_shown_as_such(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--json").json
    active = publisher.keys / "minisign.key"
    active.rename(publisher.keys / f"minisign.{made['key_id']}.bak")
    rows = publisher.good("key-list", "--json").json
    assert [(row["key_id"], row["state"]) for row in rows] == [(made["key_id"], "archived")]


def test_a_key_that_others_can_read_is_warned_of(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1))
    (publisher.keys / "minisign.key").chmod(0o644)
    assert "open to other users" in publisher.good("key-info").err
    assert "open to other users" in publisher.good("key-list").err


def test_links_and_directories_are_no_key_files(publisher: Publisher) -> None:
    put(publisher, "other", key_file(1))
    (publisher.keys / "minisign.key").symlink_to(publisher.keys / "other")
    done = publisher.run("key-info", "--json")
    assert (done.code, done.error) == (3, "unsafe-file")
    (publisher.keys / "minisign.key").unlink()
    (publisher.keys / "minisign.key").mkdir()
    assert publisher.run("key-info", "--json").error == "unsafe-file"


def test_a_named_file_is_shown_and_only_that(publisher: Publisher) -> None:
    publisher.good("keygen")
    (publisher.here / "my.key").write_bytes(key_file(3))
    assert publisher.good("key-info", "--key", "my.key", "--json").json["key_id"] == key(3).public.id
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = "my.key"
    info = publisher.good("key-info", "--json").json
    assert (info["key_id"], info["source"]) == (key(3).public.id, "explicit")


def test_a_key_in_the_keyring_alone_is_found(publisher: Publisher) -> None:
    publisher.use_keyring()
    made = publisher.good("keygen", "--json").json
    (publisher.keys / "minisign.key").unlink()
    info = publisher.good("key-info", "--json").json
    assert (info["key_id"], info["source"], info["stored"]) == (made["key_id"], "keyring", ["keyring"])
    assert publisher.run("key-info", "--no-keyring").code == 3


def test_looking_writes_nothing(publisher: Publisher) -> None:
    put(publisher, "minisign.key", key_file(1))
    publisher.write_profile()

    def state() -> dict[str, tuple[bytes, int]]:
        files = [path for path in publisher.root.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    publisher.good("key-info")
    publisher.good("key-list", "--check")
    assert state() == before


def test_every_identity_is_listed_without_the_keyring(publisher: Publisher) -> None:
    publisher.use_keyring()
    for name in ("work", "personal", "default"):
        publisher.good("keygen", "--keyring-identity", name)
    (publisher.keys / "minisign.work.key").unlink()
    put(publisher, "minisign.older.key", key_file(1))
    publisher.use_keyring("blocks")
    rows = {row["identity"]: row for row in publisher.good("key-list", "--json").json}
    assert list(rows) == ["default", "older", "personal", "work"]
    assert {name: row["stored"] for name, row in rows.items()} == {
        "default": ["disk", "keyring"],
        "older": ["disk"],
        "personal": ["disk", "keyring"],
        "work": ["keyring"],
    }
    assert (rows["older"]["created_at"], rows["older"]["key_id"]) == (None, key(1).public.id)


def test_check_asks_the_keyring(publisher: Publisher) -> None:
    publisher.use_keyring()
    for name in ("same", "other", "gone"):
        publisher.good("keygen", "--keyring-identity", name)
    held = json.loads(publisher.entries.read_text())
    held["pypi-profile/other"] = held["pypi-profile/same"]
    del held["pypi-profile/gone"]
    publisher.entries.write_text(json.dumps(held))
    rows = publisher.good("key-list", "--check", "--json").json
    assert {row["identity"]: row["keyring"] for row in rows} == {
        "same": "same",
        "other": "other",
        "gone": "nothing",
    }
    assert {row["identity"]: row["stored"] for row in rows}["gone"] == ["disk"]


def test_without_a_keyring_the_reason_is_told_once(publisher: Publisher) -> None:
    for name in ("work", "personal"):
        publisher.good("keygen", "--keyring-identity", name)
    done = publisher.good("key-list", "--check")
    assert done.err.count("the keyring was not asked: no keyring service runs here") == 1
    assert "keyring" not in done.out


def test_a_key_replaced_behind_our_back_is_shown_as_it_is(publisher: Publisher) -> None:
    old = publisher.good("keygen", "--json").json
    put(publisher, "minisign.key", key_file(1))
    rows = publisher.good("key-list", "--json").json
    assert [(row["key_id"], row["problem"]) for row in rows] == [
        (key(1).public.id, None),
        (old["key_id"], "its file is gone"),
    ]


def test_the_list_does_without_a_readable_profile_or_index(publisher: Publisher) -> None:
    publisher.good("keygen")
    publisher.profile.write_text("broken = ")
    (publisher.keys / "keys.json").write_text("{}")
    done = publisher.good("key-list", "--json")
    assert len(done.json) == 1
    assert "pypi_profile.toml:1:10" in done.err
    assert "keys.json is not an index of keys" in done.err


def test_one_identity_can_be_asked_for(publisher: Publisher) -> None:
    for name in ("work", "personal"):
        publisher.good("keygen", "--keyring-identity", name)
    rows = publisher.good("key-list", "--keyring-identity", "work", "--json").json
    assert [row["identity"] for row in rows] == ["work"]


def test_no_keys_is_an_empty_list(publisher: Publisher) -> None:
    assert publisher.good("key-list", "--json").json == []
    done = publisher.good("key-list")
    assert (done.out, "no keys" in done.err) == ("", True)


@pytest.mark.parametrize("profile", [True, False])
def test_of_a_lost_key_it_says_what_helps(publisher: Publisher, profile: bool) -> None:
    if profile:
        publisher.write_profile()
    publisher.good("keygen", "--no-keyring")
    (publisher.keys / "minisign.key").unlink()
    (publisher.here / "file").touch()
    for arguments in (["key-info"], ["key-export", "--output", "copy"], ["sign-file", "file"]):
        done = publisher.run(*arguments, "--no-keyring")
        assert done.code == 3
        assert "key-recover" in done.err
        assert "make one with keygen" not in done.err
        assert "(" not in done.err  # why the keyring was not asked is no aside


def test_a_passphrase_that_does_not_fit_is_told(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--password-stdin", "--json", stdin="right\n").json
    (publisher.here / "wrong").write_text("wrong\n")
    done = publisher.run("key-info", "--password-file", "wrong", "--json")
    assert (done.code, done.error) == (3, "wrong-passphrase")
    assert f"{made['key_id']} of default ({publisher.keys / 'minisign.key'})" in done.err
    done = publisher.good("key-info", "--password-stdin", "--json", stdin="right\n")
    assert done.json["key_id"] == made["key_id"]
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "of another key"
    publisher.good("key-info")


def test_a_missing_passphrase_is_asked_for_by_the_name_of_its_key(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--password-stdin", "--json", stdin="right\n").json
    (publisher.here / "file").touch()
    done = publisher.run("sign-file", "file")
    assert done.code == 3
    for told in (
        made["key_id"],
        "default",
        "--password-stdin",
        "--password-file",
        "PYPI_PROFILE_KEY_PASSWORD",
    ):
        assert told in done.err


def test_a_key_file_elsewhere_is_listed_where_it_is(publisher: Publisher) -> None:
    named = publisher.here / "keys" / "my.key"
    named.parent.mkdir()
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = str(named)
    publisher.good("keygen")
    new = publisher.good("key-rotate", "--json").json["new_key_id"]

    def listed() -> tuple[str, str | None, bool]:
        (row,) = [row for row in publisher.good("key-list", "--json").json if row["key_id"] == new]
        return row["path"], row["source"], row["problem"] is None

    assert listed() == (str(named), "disk", True)
    named.unlink()
    assert listed() == (str(named), None, False)
