"""`keygen`: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from tests.keys import key, key_file
from tests.publisher import Publisher

from sealstead.clock import SystemClock
from sealstead.formats.minisign import parse_public_key, parse_secret_key
from sealstead.secret import Secret


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def files(publisher: Publisher) -> dict[str, bytes]:
    """Everything in the home and the current directory, with its content."""
    return {
        str(path.relative_to(publisher.root)): path.read_bytes()
        for path in publisher.root.rglob("*")
        if path.is_file() and path.name not in (".lock", ".keyring.lock")
    }


def test_both_files_are_written_and_belong_together(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--json").json
    secret = parse_secret_key((publisher.keys / "minisign.key").read_bytes())
    public = parse_public_key((publisher.keys / "minisign.pub").read_bytes())
    assert secret.open().public == public
    assert (made["key_id"], made["public_key"], made["identity"]) == (public.id, public.line, "default")
    assert mode(publisher.keys) == 0o700
    assert mode(publisher.keys / "minisign.key") == 0o600
    assert mode(publisher.keys / "minisign.pub") == 0o644


def test_no_two_keys_are_alike(publisher: Publisher) -> None:
    made = [publisher.good("keygen", "--json", "--keyring-identity", name).json for name in "abc"]
    assert len({one["key_id"] for one in made}) == len({one["public_key"] for one in made}) == 3


def test_another_directory_is_made_on_the_way(publisher: Publisher) -> None:
    publisher.good("keygen", "--key-dir", "some/where")
    assert (publisher.here / "some" / "where" / "minisign.key").is_file()
    assert not publisher.keys.exists()


def test_a_secret_is_never_shown(publisher: Publisher) -> None:
    for arguments in (["keygen"], ["keygen", "--force", "--json"], ["key-info"], ["key-list", "--json"]):
        done = publisher.good(*arguments)
        blob = (publisher.keys / "minisign.key").read_text().splitlines()[1]
        seed = parse_secret_key((publisher.keys / "minisign.key").read_bytes()).open().seed.reveal()
        for secret in (blob, base64.b64encode(seed).decode(), seed.hex()):
            assert secret not in done.out + done.err


def test_a_key_is_never_overwritten_unasked(publisher: Publisher) -> None:
    publisher.good("keygen")
    before = files(publisher)
    done = publisher.run("keygen", "--json")
    assert (done.code, done.error) == (1, "key-exists")
    assert "key-rotate" in done.err
    assert files(publisher) == before


@pytest.mark.parametrize("content", [b"", b"not a key", key_file(1, "pass")])
def test_nor_is_anything_else_in_its_place(publisher: Publisher, content: bytes) -> None:
    publisher.keys.mkdir()
    path = publisher.keys / "minisign.key"
    path.write_bytes(content)
    assert publisher.run("keygen").code == 1
    assert path.read_bytes() == content


def test_what_is_left_of_a_lost_key_is_not_overwritten(publisher: Publisher) -> None:
    publisher.good("keygen")
    (publisher.keys / "minisign.key").unlink()
    before = files(publisher)
    done = publisher.run("keygen")
    assert done.code == 1
    assert "key-recover" in done.err
    assert files(publisher) == before


def test_force_replaces_and_archives(publisher: Publisher) -> None:
    old = publisher.good("keygen", "--json").json
    before = (publisher.keys / "minisign.key").read_bytes()
    new = publisher.good("keygen", "--force", "--json").json
    assert new["replaced_key_id"] == old["key_id"] != new["key_id"]
    assert Path(new["archived_path"]).read_bytes() == before
    assert mode(Path(new["archived_path"])) == 0o600
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states == {old["key_id"]: "archived", new["key_id"]: "active"}


def test_force_replaces_even_a_key_that_cannot_be_read_as_one(publisher: Publisher) -> None:
    publisher.keys.mkdir(mode=0o700)
    (publisher.keys / "minisign.key").write_bytes(b"rubbish")
    made = publisher.good("keygen", "--force", "--json").json
    assert Path(made["archived_path"]).read_bytes() == b"rubbish"


def test_a_dry_run_writes_nothing(publisher: Publisher) -> None:
    publisher.write_profile()
    before = files(publisher)
    made = publisher.good("keygen", "--dry-run", "--json").json
    assert (made["dry_run"], made["key_id"], made["public_key"]) == (True, None, None)
    assert "key id" not in publisher.good("keygen", "--dry-run").out
    assert files(publisher) == before
    assert not publisher.keys.exists()


def test_at_a_terminal_it_asks_before_it_replaces(publisher: Publisher) -> None:
    publisher.good("keygen")
    before = files(publisher)
    refused = publisher.run("keygen", answers="n\n")
    assert refused.code == 1
    assert files(publisher) == before
    publisher.good("keygen", answers="y\n")
    assert files(publisher) != before


# The profile


def test_an_empty_public_key_is_filled_and_the_rest_kept(publisher: Publisher) -> None:
    publisher.write_profile()
    made = publisher.good("keygen", "--json").json
    assert publisher.profile.read_text() == (
        f'# kept\n[identity]\npypi_username = ""\n\n[verification]\npublic_key = "{made["public_key"]}"  # kept too\n'
    )
    assert made["profile_updated"] == str(publisher.profile)


def test_pyproject_is_a_profile_too(publisher: Publisher) -> None:
    path = publisher.here / "pyproject.toml"
    path.write_text(
        "[project]\nname = 'x'\n\n[tool.pypi-profile.verification]\npublic_key = ''\n\n[tool.x]\ny = 1\n"
    )
    made = publisher.good("keygen", "--json").json
    assert made["public_key"] in path.read_text()
    assert path.read_text().endswith("[tool.x]\ny = 1\n")


def test_work_then_personal_without_a_profile(publisher: Publisher) -> None:
    for name in ("work", "personal"):
        publisher.good("keygen", "--keyring-identity", name)
    listed = publisher.good("key-list", "--json").json
    assert [row["identity"] for row in listed] == ["personal", "work"]
    assert {path.name for path in publisher.keys.glob("*.key")} == {
        "minisign.work.key",
        "minisign.personal.key",
    }


def test_work_then_personal_with_a_profile(publisher: Publisher) -> None:
    publisher.write_profile()
    work = publisher.good("keygen", "--keyring-identity", "work", "--json").json
    text = publisher.profile.read_text()
    assert work["public_key"] in text
    personal = publisher.good("keygen", "--keyring-identity", "personal")
    assert publisher.profile.read_text() == text
    own = publisher.good("key-info", "--keyring-identity", "personal", "--json").json
    assert work["key_id"] in personal.err
    assert own["key_id"] in personal.err
    assert own["profile_binding"].startswith("mismatch")
    # What nobody named follows from the profile: `sign` and `key-info` use the key that it names.
    assert publisher.good("key-info", "--json").json["key_id"] == work["key_id"]


def test_a_key_of_the_same_identity_in_the_profile_is_replaced(publisher: Publisher) -> None:
    publisher.write_profile()
    publisher.good("keygen")
    new = publisher.good("keygen", "--force", "--json").json
    assert new["public_key"] in publisher.profile.read_text()


def test_what_is_no_key_in_the_profile_is_left_alone(publisher: Publisher) -> None:
    publisher.write_profile(public_key="to be filled in")
    before = publisher.profile.read_bytes()
    done = publisher.good("keygen")
    assert "to be filled in" in done.err
    assert publisher.profile.read_bytes() == before


def test_stored_proofs_of_the_key_before_are_told_of(publisher: Publisher) -> None:
    publisher.write_profile()
    publisher.good("keygen")
    with publisher.profile.open("a") as file:
        file.write('[[profiles]]\nkind = "x"\nlabel = "x"\nurl = "https://x.test"\nstored_proof = "t:x"\n')
    assert "1 stored proofs are of another key" in publisher.good("keygen", "--force").err


def test_a_broken_profile_stops_it_before_anything_is_written(publisher: Publisher) -> None:
    publisher.profile.write_text("[verification]\npublic_key = \n")
    done = publisher.run("keygen", "--json")
    assert (done.code, done.error) == (1, "profile-invalid")
    assert "pypi_profile.toml:2:14" in done.err
    assert not publisher.keys.exists()


def test_the_mode_of_a_profile_stays_and_a_link_to_it_is_followed(publisher: Publisher) -> None:
    target = publisher.root / "elsewhere.toml"
    target.write_text('[verification]\npublic_key = ""\n')
    target.chmod(0o640)
    publisher.profile.symlink_to(target)
    made = publisher.good("keygen", "--json").json
    assert publisher.profile.is_symlink()
    assert made["public_key"] in target.read_text()
    assert mode(target) == 0o640


# Which identity


@pytest.mark.parametrize(
    ("option", "variable", "username", "name"),
    [
        ("work", "env", "ada", "minisign.work.key"),
        (None, "env", "ada", "minisign.env.key"),
        (None, None, "ada", "minisign.ada.key"),
        (None, None, "", "minisign.key"),
    ],
)
def test_the_identity_comes_from_option_environment_or_profile(
    publisher: Publisher, option: str | None, variable: str | None, username: str, name: str
) -> None:
    publisher.write_profile(username=username)
    if variable:
        publisher.environment["PYPI_PROFILE_KEYRING_USERNAME"] = variable
    publisher.good("keygen", *(["--keyring-identity", option] if option else []))
    assert [path.name for path in publisher.keys.glob("*.key")] == [name]
    # Right after a keygen, key-info finds the key: the tool we are compatible with said there was none.
    assert publisher.good("key-info", *(["--keyring-identity", option] if option else [])).code == 0


@pytest.mark.parametrize("name", ["../x", "a/b", "a\0b", "x" * 300, "", ".."])
def test_a_bad_identity_writes_nothing(publisher: Publisher, name: str) -> None:
    done = publisher.run("keygen", "--keyring-identity", name, "--json")
    assert (done.code, done.error) == (2, "identity")
    assert not publisher.keys.exists()
    publisher.write_profile(username=name.replace("\0", "\\u0000"))
    if name:
        assert publisher.run("keygen").code == 2


def test_a_named_key_file_is_made_where_it_is_looked_for(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = "my.key"
    made = publisher.good("keygen", "--json").json
    assert Path(made["secret_key_path"]) == publisher.here / "my.key"
    assert mode(publisher.here / "my.key") == 0o600
    assert publisher.good("key-info", "--json").json["key_id"] == made["key_id"]
    assert not (publisher.here / "minisign.key").exists()


# Passphrases


def test_a_key_is_encrypted_with_what_standard_input_says(publisher: Publisher) -> None:
    made = publisher.good("keygen", "--password-stdin", "--json", stdin="tr\u00e8s long\n").json
    file = parse_secret_key((publisher.keys / "minisign.key").read_bytes())
    assert (made["encrypted"], file.encrypted) == (True, True)
    assert file.open(Secret("tr\u00e8s long")).public.id == made["key_id"]
    info = publisher.good("key-info", "--json").json
    assert (info["key_id"], info["encrypted"]) == (made["key_id"], True)


def test_or_a_file_or_the_environment_or_the_person(publisher: Publisher) -> None:
    (publisher.here / "secret").write_text("from file\nmore\n")
    publisher.good("keygen", "--keyring-identity", "a", "--password-file", "secret")
    publisher.good("keygen", "--keyring-identity", "c", "--password", answers="typed\ntyped\n")
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "from environment"
    publisher.good("keygen", "--keyring-identity", "b")
    for name, passphrase in (("a", "from file"), ("b", "from environment"), ("c", "typed")):
        blob = (publisher.keys / f"minisign.{name}.key").read_bytes()
        parse_secret_key(blob).open(Secret(passphrase))


def test_a_passphrase_that_is_typed_differently_is_asked_for_again(publisher: Publisher) -> None:
    publisher.good("keygen", "--password", answers="one\ntwo\nthree\nthree\n")
    parse_secret_key((publisher.keys / "minisign.key").read_bytes()).open(Secret("three"))


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["--password"], "", "passphrase"),
        (["--password-stdin"], "", "passphrase"),
        (["--password-stdin"], "\n", "passphrase"),
        (["--password-stdin"], "x" * 1025, "passphrase"),
        (["--password-stdin"], "a\0b", "passphrase"),
        (["--password-file", "missing"], "", "passphrase"),
        (["--password-stdin", "--password-file", "x"], "x", "passphrase"),
        (["--interactive"], "", "no-terminal"),
        (["--password", "hunter2"], "", "usage"),
    ],
)
def test_no_passphrase_no_key(publisher: Publisher, arguments: list[str], stdin: str, code: str) -> None:
    done = publisher.run("keygen", "--json", *arguments, stdin=stdin)
    assert (done.code, done.error) == (2, code)
    assert not publisher.keys.exists()


# The keyring


def test_the_keyring_gets_a_copy_as_the_other_tool_writes_it(publisher: Publisher) -> None:
    publisher.use_keyring()
    made = publisher.good("keygen", "--keyring-identity", "work", "--json").json
    assert made["stored_in_keyring"] is True
    blob = (publisher.keys / "minisign.work.key").read_bytes()
    assert json.loads(publisher.entries.read_text()) == {"pypi-profile/work": base64.b64encode(blob).decode()}
    assert publisher.good("key-list", "--json").json[0]["stored"] == ["disk", "keyring"]


def test_it_is_left_alone_when_asked_to(publisher: Publisher) -> None:
    publisher.use_keyring()
    made = publisher.good("keygen", "--no-keyring", "--json").json
    assert made["stored_in_keyring"] is False
    assert not publisher.entries.exists()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("locked", "the keyring cannot be read: it is locked"), ("raises", "cannot be read: RuntimeError")],
)
def test_why_it_was_not_used_is_one_line(publisher: Publisher, mode: str, reason: str) -> None:
    publisher.use_keyring(mode)
    done = publisher.good("keygen", "--json")
    assert reason in done.json["keyring_reason"]
    assert (publisher.keys / "minisign.key").exists()
    assert done.json["stored_in_keyring"] is False


def test_without_a_keyring_service_the_reason_is_told(publisher: Publisher) -> None:
    assert "no keyring service runs here" in publisher.good("keygen").out


def test_a_key_that_only_the_keyring_has_is_not_overwritten(publisher: Publisher) -> None:
    publisher.use_keyring()
    publisher.good("keygen")
    entry = publisher.entries.read_bytes()
    old = (publisher.keys / "minisign.key").read_bytes()
    for path in publisher.keys.glob("minisign*"):
        path.unlink()
    done = publisher.run("keygen", "--json")
    assert (done.code, done.error) == (1, "key-exists")
    assert publisher.entries.read_bytes() == entry
    # And when it is replaced, it is archived on disk first.
    new = publisher.good("keygen", "--force", "--json").json
    assert Path(new["archived_path"]).read_bytes() == old


def test_two_directories_that_share_an_entry_do_not_fight_over_it(publisher: Publisher) -> None:
    publisher.use_keyring()
    publisher.good("keygen", "--key-dir", "one")
    entry = publisher.entries.read_bytes()
    assert publisher.run("keygen", "--key-dir", "two").code == 1
    publisher.good("keygen", "--key-dir", "two", "--no-keyring")
    assert publisher.entries.read_bytes() == entry
    infos = [publisher.good("key-info", "--key-dir", name, "--json").json for name in ("one", "two")]
    assert infos[0]["key_id"] != infos[1]["key_id"]


# Bad clocks


def test_a_clock_before_1970_or_moved_back_does_no_harm(publisher: Publisher) -> None:
    (publisher.here / "file").write_text("x")
    with mock.patch.object(SystemClock, "now", return_value=datetime(1961, 4, 12, tzinfo=UTC)):
        publisher.good("keygen")
        assert publisher.good("key-info", "--json").json["generated"] == "1961-04-12T00:00:00Z"
        signed = publisher.good("sign-file", "file", "--json").json
        assert signed[0]["trusted_comment"].startswith("timestamp:-275")
        publisher.good("verify-file", "file")
    new = publisher.good("keygen", "--force", "--json").json
    with mock.patch.object(SystemClock, "now", return_value=datetime(1961, 4, 12, tzinfo=UTC)):
        assert publisher.good("key-info", "--json").json["key_id"] == new["key_id"]
        states = [row["state"] for row in publisher.good("key-list", "--json").json]
    assert states == ["active", "archived"]


# Bad places


def test_a_link_in_the_place_of_the_key_is_refused(publisher: Publisher) -> None:
    publisher.keys.mkdir(mode=0o700)
    (publisher.keys / "minisign.key").symlink_to(publisher.root / "elsewhere")
    done = publisher.run("keygen", "--force", "--json")
    assert (done.code, done.error) == (3, "unsafe-file")
    assert not (publisher.root / "elsewhere").exists()


def test_a_directory_that_cannot_be_made_is_told(publisher: Publisher) -> None:
    (publisher.home / ".pypi_profile").write_text("a file")
    done = publisher.run("keygen", "--json")
    assert (done.code, done.error) == (3, "key-dir")


def test_the_key_of_a_test_is_not_one_of_ours() -> None:
    """Keys of tests are made from numbers; a command must never make one of them."""
    assert key(1).public.id == parse_secret_key(key_file(1)).open().public.id


# Nothing that was a key is ever lost


def kept(publisher: Publisher) -> set[bytes]:
    return {path.read_bytes() for path in publisher.keys.iterdir() if path.suffix in (".key", ".bak")}


@pytest.mark.parametrize("stale", [False, True])
def test_an_encrypted_key_without_its_public_half_is_archived_too(publisher: Publisher, stale: bool) -> None:
    """What an older archive is called says nothing of the key that stands there now."""
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "pw"
    path, public = publisher.keys / "minisign.key", publisher.keys / "minisign.pub"
    publisher.good("keygen")
    first, first_public = path.read_bytes(), public.read_bytes()
    publisher.good("keygen", "--force")
    second = path.read_bytes()
    public.unlink()
    if stale:
        public.write_bytes(first_public)
    made = publisher.good("keygen", "--force", "--json").json
    assert Path(made["archived_path"]).read_bytes() == second
    assert {first, second} < kept(publisher)


@pytest.mark.parametrize("content", [b"something else", key_file(1, "another passphrase")])
def test_whatever_stands_in_the_archive_under_its_name(publisher: Publisher, content: bytes) -> None:
    publisher.keys.mkdir(mode=0o700)
    for name, blob in (
        ("minisign.key", key_file(1)),
        (f"minisign.{key(1).public.id}.bak", content),
    ):
        (publisher.keys / name).write_bytes(blob)
        (publisher.keys / name).chmod(0o600)
    made = publisher.good("keygen", "--force", "--json").json
    assert made["replaced_key_id"] == key(1).public.id
    assert Path(made["archived_path"]).read_bytes() == key_file(1)
    assert {content, key_file(1)} < kept(publisher)
    publisher.good("keygen", "--force")
    assert {content, key_file(1)} < kept(publisher)


@pytest.mark.parametrize(("closed", "index"), [("locked", True), ("--no-keyring", True), ("locked", False)])
def test_a_key_that_may_be_in_a_closed_keyring_stays_in_the_profile(
    publisher: Publisher, closed: str, index: bool
) -> None:
    publisher.write_profile()
    publisher.use_keyring()
    old = publisher.good("keygen", "--json").json
    (publisher.keys / "minisign.key").unlink()
    if index:
        (publisher.keys / "minisign.pub").unlink()
    else:
        (publisher.keys / "keys.json").unlink()
    before = publisher.profile.read_bytes()
    publisher.use_keyring("locked")
    options = ["--no-keyring"] if closed == "--no-keyring" else []
    done = publisher.good("keygen", "--json", *([] if index else ["--force"]), *options)
    assert publisher.profile.read_bytes() == before
    assert (done.json["profile_updated"], done.json["profile_names"]) == (None, old["key_id"])
    assert old["key_id"] in done.err
    assert done.json["key_id"] in done.err
