"""`key-rotate`: what it changes together, what it refuses, and what it tells people to do."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.keys import key, key_file
from tests.publisher import Done, Publisher

from sealstead.formats.minisign import parse_public_key, parse_secret_key
from sealstead.formats.proof_text import ProofContext, verify_proof
from sealstead.formats.statement import Rotation, verify_statement
from sealstead.identity.profile import ProfileFile, find_profile
from sealstead.identity.statements import believed_keys
from sealstead.secret import Secret

URLS = ("https://example.org/~ada", "https://example.com/é")

PROFILE = """\
# by hand
[identity]
pypi_username = 'ada'

[[profiles]]
kind = "website"   # the first
label = "Home"
url = "https://example.org/~ada"
stored_proof = ""

[[profiles]]
kind = "website"
label = "About"
url = "https://example.com/é"

[[profiles]]
kind = "github"
label = "no proof wanted yet"
url = "https://github.com/ada"

[verification]
public_key = ""
future_key = "public_key = nothing to do with it"
"""


def published(publisher: Publisher, text: str = PROFILE, *, name: str = "pypi_profile.toml") -> ProfileFile:
    """A profile with a key, and proofs stored for the first two pages."""
    from sealstead.formats.profile_edit import edit_profile
    from sealstead.identity.proofs import sign_all

    path = publisher.here / name
    path.write_text(text, encoding="utf-8")
    publisher.good(
        "keygen", "--no-keyring" if "PYTHON_KEYRING_BACKEND" not in publisher.environment else "--json"
    )
    read = find_profile(str(path), publisher.here)
    secret = parse_secret_key(next(publisher.keys.glob("*.key")).read_bytes()).open(
        Secret(publisher.environment.get("PYPI_PROFILE_KEY_PASSWORD", ""))
    )

    proofs = sign_all(read.profile, secret, at=datetime.now(UTC), only={0, 1})
    path.write_text(edit_profile(read.text, table=read.table, proofs=proofs), encoding="utf-8")
    return find_profile(str(path), publisher.here)


def now(publisher: Publisher, name: str = "pypi_profile.toml") -> ProfileFile:
    return find_profile(name, publisher.here)


def check_proofs(file: ProfileFile) -> None:
    """Every stored proof is good under the profile's own key alone."""

    own = parse_public_key(file.profile.verification.public_key)
    stored = [link for link in file.profile.profiles if link.stored_proof]
    assert [link.url for link in stored] == list(URLS)
    for link in stored:
        claimed = ProofContext(package="pypi-profile-ada", username="ada", url=link.url)
        verify_proof(link.stored_proof, claimed, [own], at=datetime.now(UTC))


def snapshot(publisher: Publisher) -> dict[str, bytes]:
    return {
        str(path.relative_to(publisher.root)): path.read_bytes()
        for path in publisher.root.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def refused(publisher: Publisher, *arguments: str, **more: Any) -> Done:
    before = snapshot(publisher)
    done = publisher.run(*arguments, "--json", **more)
    assert done.code != 0
    assert snapshot(publisher) == before
    return done


def test_key_profile_proofs_and_archive_change_together(publisher: Publisher) -> None:
    before = published(publisher)
    old_file = (publisher.keys / "minisign.ada.key").read_bytes()
    done = publisher.good("key-rotate", "pypi_profile.toml", "--json").json
    after = now(publisher)
    public = parse_public_key(after.profile.verification.public_key)
    old = parse_public_key(before.profile.verification.public_key)
    assert (done["old_key_id"], done["new_key_id"], done["new_public_key"]) == (
        old.id,
        public.id,
        public.line,
    )
    assert parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes()).open().public == public
    assert parse_public_key((publisher.keys / "minisign.ada.pub").read_bytes()) == public
    assert Path(done["archived_path"]).read_bytes() == old_file
    assert Path(done["archived_path"]).stat().st_mode & 0o777 == 0o600
    check_proofs(after)
    assert done["updated_urls"] == list(URLS)
    assert [page["proof"] for page in done["pages"]] == [
        link.stored_proof for link in after.profile.profiles if link.stored_proof
    ]
    assert all(page["where"] for page in done["pages"])
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states == {public.id: "active", old.id: "archived"}


def test_nothing_else_in_the_profile_changes(publisher: Publisher) -> None:
    before = published(publisher)
    publisher.good("key-rotate", "pypi_profile.toml")
    after = now(publisher)
    text = after.text
    for part in (
        "# by hand\n",
        "pypi_username = 'ada'\n",
        "# the first\n",
        'future_key = "public_key = nothing',
    ):
        assert part in text
    one, two = tomllib.loads(before.text), tomllib.loads(text)
    for document in (one, two):
        del document["verification"]["public_key"]
        document["verification"].pop("statements", None)
        for link in document["profiles"]:
            link.pop("stored_proof", None)
    assert one == two


def test_it_tells_the_pages_their_proofs_and_the_four_things_to_do(publisher: Publisher) -> None:
    before = published(publisher)
    done = publisher.good("key-rotate", "pypi_profile.toml")
    after = now(publisher)
    for file in (before, after):
        assert parse_public_key(file.profile.verification.public_key).id in done.out
    for link in after.profile.profiles[:2]:
        assert link.url in done.out
        assert link.stored_proof in done.out.splitlines()
    assert done.err.splitlines()[-4:] == [
        "  1. update the proof tokens on the external pages",
        "  2. commit the updated TOML",
        "  3. rebuild and republish the static site",
        "  4. republish the package",
    ]


def test_both_keys_sign_that_one_follows_the_other(publisher: Publisher) -> None:
    before = published(publisher)
    publisher.good("key-rotate", "pypi_profile.toml")
    profile = now(publisher).profile
    (text,) = profile.verification.statements
    statement = verify_statement(text)
    assert isinstance(statement, Rotation)
    assert statement.predecessor.line == before.profile.verification.public_key
    assert statement.successor.line == profile.verification.public_key
    assert believed_keys(profile, statement.issued_at) == [statement.successor]


@pytest.mark.parametrize("option", [["--overlap", "7d"], ["--overlap-days", "7"]], ids=str)
def test_an_overlap_keeps_the_old_key_believed_until_its_end(publisher: Publisher, option: list[str]) -> None:

    published(publisher)
    done = publisher.good("key-rotate", *option, "--json").json
    profile = now(publisher).profile
    statement = verify_statement(profile.verification.statements[0])
    assert isinstance(statement, Rotation)
    end = datetime.fromisoformat(done["retires_at"])
    assert end == statement.retires_at == statement.issued_at + timedelta(days=7)
    assert believed_keys(profile, end - timedelta(seconds=1)) == [statement.successor, statement.predecessor]
    assert believed_keys(profile, end) == [statement.successor]
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states[done["old_key_id"]] == "retiring"


def test_an_overlap_without_the_old_key_makes_no_sense(publisher: Publisher) -> None:
    published(publisher)
    done = refused(publisher, "key-rotate", "--overlap", "7d", "--no-keep-old", "--force")
    assert (done.code, done.error) == (2, "keep-old")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--overlap", "31d"], "invalid-overlap"),
        (["--overlap", "soon"], "invalid-duration"),
        (["--overlap", "1d", "--overlap-days", "1"], "two-overlaps"),
        (["--overlap-days", "-1"], "invalid-duration"),
        (["--expires", "yesterday"], "invalid-duration"),
    ],
)
def test_other_overlaps_and_ends_are_refused(publisher: Publisher, options: list[str], code: str) -> None:
    published(publisher)
    done = refused(publisher, "key-rotate", *options)
    assert (done.code, done.error) == (2, code)


def test_the_old_key_is_destroyed_only_when_that_was_said_twice(publisher: Publisher) -> None:
    published(publisher)
    done = refused(publisher, "key-rotate", "--no-keep-old")
    assert (done.code, done.error) == (2, "needs-force")
    made = publisher.good("key-rotate", "--no-keep-old", "--force", "--json").json
    assert made["archived_path"] is None
    assert [path.name for path in publisher.keys.glob("*.bak")] == []
    assert [path.name for path in publisher.keys.glob("*.pub")] == ["minisign.ada.pub"]
    check_proofs(now(publisher))


def test_at_a_terminal_it_asks(publisher: Publisher) -> None:
    published(publisher)
    before = snapshot(publisher)
    done = publisher.run("key-rotate", answers="n\n")
    assert done.code == 1
    assert "nothing was changed" in done.err
    assert snapshot(publisher) == before
    publisher.good("key-rotate", answers="y\n")
    publisher.good("key-rotate", "--force", answers="")
    publisher.good("key-rotate", "--no-interactive", answers="")
    assert len(list(publisher.keys.glob("*.bak"))) == 3


def test_a_dry_run_writes_nothing(publisher: Publisher) -> None:
    file = published(publisher)
    before = snapshot(publisher)
    done = publisher.good("key-rotate", "--dry-run", "--json").json
    assert snapshot(publisher) == before
    assert done["dry_run"] is True
    assert done["old_key_id"] == parse_public_key(file.profile.verification.public_key).id
    assert (done["new_key_id"], done["updated_urls"]) == (None, list(URLS))


def test_a_profile_in_pyproject(publisher: Publisher) -> None:
    lines = PROFILE.replace("[identity]", "[tool.pypi-profile.identity]")
    lines = lines.replace("[[profiles]]", "[[tool.pypi-profile.profiles]]")
    lines = lines.replace("[verification]", "[tool.pypi-profile.verification]")
    text = '[project]\nname = "x"  # public_key = "y"\n\n' + lines
    published(publisher, text, name="pyproject.toml")
    publisher.good("key-rotate", "pyproject.toml")
    check_proofs(now(publisher, "pyproject.toml"))
    assert now(publisher, "pyproject.toml").text.startswith('[project]\nname = "x"  # public_key = "y"\n')


def test_a_linked_profile_is_changed_where_it_is(publisher: Publisher) -> None:
    published(publisher)
    real = publisher.root / "elsewhere.toml"
    publisher.profile.rename(real)
    real.chmod(0o640)
    publisher.profile.symlink_to(real)
    publisher.good("key-rotate")
    assert publisher.profile.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    check_proofs(now(publisher))


def test_an_encrypted_key_is_followed_by_one_with_its_passphrase(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "old"
    published(publisher)
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    done = refused(publisher, "key-rotate")
    assert (done.code, done.error) == (3, "passphrase-needed")
    done = refused(publisher, "key-rotate", "--password-stdin", stdin="wrong\n")
    assert (done.code, done.error) == (3, "wrong-passphrase")
    made = publisher.good("key-rotate", "--password-stdin", "--json", stdin="old\n").json
    file = parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes())
    assert file.encrypted
    assert file.open(Secret("old")).public.id == made["new_key_id"]
    kept = parse_secret_key(Path(made["archived_path"]).read_bytes())
    assert kept.open(Secret("old")).public.id == made["old_key_id"]
    check_proofs(now(publisher))


def test_a_passphrase_seals_the_successor_of_an_open_key(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-rotate", "--password-stdin", stdin="new\n")
    file = parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes())
    assert file.open(Secret("new")).public.line == now(publisher).profile.verification.public_key


def test_a_keyring_that_holds_the_old_key_gets_the_new_one(publisher: Publisher) -> None:
    publisher.use_keyring()
    published(publisher)
    before = publisher.entries.read_text()
    done = publisher.good("key-rotate", "--json").json
    assert done["stored_in_keyring"] is True
    assert publisher.entries.read_text() != before
    (publisher.keys / "minisign.ada.key").unlink()
    assert publisher.good("key-info", "--json").json["key_id"] == done["new_key_id"]


def test_a_keyring_entry_of_another_key_stays_as_it_is(publisher: Publisher) -> None:
    """Two key directories share one entry; what one of them holds is not the other's to replace."""
    publisher.use_keyring()
    published(publisher)
    publisher.good("keygen", "--key-dir", "other", "--force")
    publisher.profile.write_text(PROFILE)
    publisher.good("keygen", "--no-keyring", "--force")
    before = publisher.entries.read_text()
    done = publisher.good("key-rotate", "--json")
    assert publisher.entries.read_text() == before
    assert done.json["stored_in_keyring"] is False
    assert "another key" in done.err


@pytest.mark.parametrize("mode", ["locked", "raises", "locked-set", "raises-set"])
def test_a_keyring_that_refuses_does_not_stop_it(publisher: Publisher, mode: str) -> None:
    publisher.use_keyring()
    published(publisher)
    publisher.use_keyring(mode)
    done = publisher.good("key-rotate", "--json").json
    assert done["warnings"]
    check_proofs(now(publisher))
    publisher.use_keyring()
    publisher.good("key-rotate", "--force")
    check_proofs(now(publisher))


def test_a_keyring_that_never_answers_is_brought_up_to_date_later(publisher: Publisher) -> None:
    publisher.use_keyring()
    published(publisher)
    publisher.use_keyring("locked-set")
    made = publisher.good("key-rotate", "--json").json
    publisher.use_keyring()
    publisher.good("key-import", made["sk_path"])
    (publisher.keys / "minisign.ada.key").unlink()
    assert publisher.good("key-info", "--json").json["key_id"] == made["new_key_id"]


def test_a_headless_machine_loses_no_key(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 looks for `minisign.key` only, and overwrites `minisign.ada.key`."""
    published(publisher)
    old = (publisher.keys / "minisign.ada.key").read_bytes()
    publisher.good("key-rotate", "pypi_profile.toml")
    assert old in [path.read_bytes() for path in publisher.keys.glob("*.bak")]


def test_archives_never_meet(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 names them by the second, and `minisign.key` whatever the identity."""
    published(publisher)
    for _ in range(3):
        publisher.good("key-rotate")
    kept = [path.read_bytes() for path in publisher.keys.glob("minisign.ada.*.bak")]
    assert len(set(kept)) == 3


def test_a_failed_rotation_leaves_everything_as_it_was(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 replaces the key first, and restores only the profile."""
    published(publisher)
    publisher.profile.write_text(publisher.profile.read_text().replace("'ada'", "'not a user'"))
    done = refused(publisher, "key-rotate", "--keyring-identity", "ada")
    assert done.error == "claim"


def test_the_profile_of_somebody_else_keeps_its_key(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 puts the key of `work` into the profile of ada."""
    published(publisher)
    publisher.good("keygen", "--keyring-identity", "work")
    done = refused(publisher, "key-rotate", "--keyring-identity", "work")
    assert (done.code, done.error) == (3, "no-key")
    assert "use the key of work away from this profile" in done.err


def test_a_key_that_is_gone_is_not_rotated(publisher: Publisher) -> None:
    published(publisher)
    (publisher.keys / "minisign.ada.key").unlink()
    done = refused(publisher, "key-rotate", "pypi_profile.toml")
    assert (done.code, done.error) == (3, "no-key")


def test_a_missing_profile_is_named(publisher: Publisher) -> None:
    done = refused(publisher, "key-rotate", "pypi_profile.toml")
    assert (done.code, done.error) == (2, "no-profile")


def test_a_damaged_key_hands_nothing_over(publisher: Publisher) -> None:
    published(publisher)
    path = publisher.keys / "minisign.ada.key"
    body = bytearray(path.read_bytes())
    body[200] ^= 1
    path.write_bytes(bytes(body))
    assert refused(publisher, "key-rotate").code in (1, 3)


def test_without_a_profile_the_key_alone_is_replaced(publisher: Publisher) -> None:
    publisher.good("keygen", "--keyring-identity", "work")
    told = publisher.good("key-rotate", "--keyring-identity", "work")
    assert "there is no profile here" in told.err
    assert "commit" not in told.out + told.err
    done = publisher.good("key-rotate", "--keyring-identity", "work", "--json").json
    assert done["profile_file"] is None
    assert (
        publisher.good("key-info", "--keyring-identity", "work", "--json").json["key_id"]
        == done["new_key_id"]
    )


def test_a_named_key_file_is_rotated_in_its_place(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 writes another file, and then finds none."""
    publisher.write_profile(username="ada", public_key=key(1).public.line)
    path = publisher.here / "my.key"
    path.write_bytes(key_file(1))
    path.chmod(0o600)
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = str(path)
    done = publisher.good("key-rotate", "--json").json
    assert parse_secret_key(path.read_bytes()).open().public.id == done["new_key_id"]
    assert Path(done["archived_path"]).read_bytes() == key_file(1)
    assert publisher.good("key-info", "--json").json["key_id"] == done["new_key_id"]


def test_a_revoked_key_is_replaced_without_its_word(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-revoke", "--reason", "compromised", "--force")
    assert refused(publisher, "key-rotate", "--overlap", "7d").error == "revoked-key"
    done = publisher.good("key-rotate", "--json").json
    assert done["rotation_statement"] is False
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states[done["old_key_id"]] == "revoked"


def test_chosen_ends_and_packages_of_the_new_proofs(publisher: Publisher) -> None:

    published(publisher)
    publisher.good("key-rotate", "--expires", "90d", "--profile-package", "ada-profile")
    file = now(publisher)
    own = parse_public_key(file.profile.verification.public_key)
    link = file.profile.profiles[0]
    claimed = ProofContext(package="ada-profile", username="ada", url=link.url)
    proved = verify_proof(link.stored_proof, claimed, [own], at=datetime.now(UTC))
    assert 89 <= (proved.expires_at - datetime.now(UTC)).days <= 90


def test_commands_at_the_same_time_wait_for_each_other(publisher: Publisher) -> None:
    """Each finds the key that the one before it made, and every replaced key is kept."""
    import subprocess
    import sys

    first = published(publisher)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(publisher.home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    command = [str(Path(sys.executable).with_name("pypi-profile")), "key-rotate", "--json"]
    running = [
        subprocess.Popen(
            command, cwd=publisher.here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=300) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    made = [json.loads(out) for out, _ in told]
    ids = {done["new_key_id"] for done in made} | {parse_public_key(first.profile.verification.public_key).id}
    assert len(ids) == 4
    check_proofs(now(publisher))
    kept = {parse_secret_key(path.read_bytes()).open().public.id for path in publisher.keys.glob("*.bak")}
    assert kept == ids - {parse_public_key(now(publisher).profile.verification.public_key).id}
    assert len(now(publisher).profile.verification.statements) == 3


def states(publisher: Publisher) -> dict[str, tuple[str, str | None]]:
    listed = publisher.good("key-list", "--json").json
    return {row["key_id"]: (row["state"], row["retires_at"]) for row in listed}


def test_a_promised_overlap_survives_the_next_rotation(publisher: Publisher) -> None:
    """The first key signs for the second successor too: its pages stay good until the day that was promised."""
    published(publisher)
    first = publisher.good("key-rotate", "--overlap", "7d", "--json").json
    second = publisher.good("key-rotate", "--json")
    end = datetime.fromisoformat(first["retires_at"])
    ids = [key.id for key in believed_keys(now(publisher).profile, end - timedelta(seconds=1))]
    assert ids == [second.json["new_key_id"], first["old_key_id"]]
    assert second.json["warnings"] == []
    assert states(publisher)[first["old_key_id"]] == ("retiring", first["retires_at"])


def test_a_promise_that_cannot_be_kept_is_told_of_and_listed_no_more(publisher: Publisher) -> None:
    published(publisher)
    first = publisher.good("key-rotate", "--overlap", "7d", "--json").json
    Path(first["archived_path"]).unlink()
    (warning,) = publisher.good("key-rotate", "--json").json["warnings"]
    assert first["old_key_id"] in warning
    assert "that ends now" in warning
    assert states(publisher)[first["old_key_id"]][0] == "archived"


def test_a_promise_is_kept_when_the_key_between_is_revoked(publisher: Publisher) -> None:
    published(publisher)
    first = publisher.good("key-rotate", "--overlap", "7d", "--json").json
    told = publisher.good("key-revoke", "--reason", "compromised", "--force", "--json").json
    assert first["old_key_id"] in told["warnings"][0]
    assert states(publisher)[first["old_key_id"]][0] == "archived"
    second = publisher.good("key-rotate", "--json").json
    ids = [key.id for key in believed_keys(now(publisher).profile, datetime.now(UTC))]
    assert ids == [second["new_key_id"], first["old_key_id"]]
    assert second["rotation_statement"] is False
    assert states(publisher)[first["old_key_id"]] == ("retiring", first["retires_at"])


def test_a_destroyed_key_is_history_and_no_defect(publisher: Publisher) -> None:
    published(publisher)
    done = publisher.good("key-rotate", "--no-keep-old", "--force", "--json").json
    listed = publisher.good("key-list")
    assert states(publisher)[done["old_key_id"]][0] == "archived"
    assert "gone" not in listed.err
    assert "its file is gone" not in publisher.run("doctor").out


def test_the_successor_may_have_a_passphrase_of_its_own(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "old"
    published(publisher)
    publisher.environment["PYPI_PROFILE_NEW_KEY_PASSWORD"] = "new"
    publisher.good("key-rotate")
    file = parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes())
    assert file.open(Secret("new")).public.line == now(publisher).profile.verification.public_key


def test_what_finds_no_key_makes_no_directory(publisher: Publisher) -> None:
    for command in (
        ["key-rotate"],
        ["key-export", "--output", "x"],
        ["key-restore", "0CBF7BEEBB5444E8"],
        ["key-import", "nothing.key", "--dry-run"],
    ):
        assert publisher.run(*command).code in (2, 3)
        assert not publisher.keys.exists()


def test_only_a_public_key_gives_way_to_one(publisher: Publisher) -> None:
    publisher.write_profile(username="ada", public_key=key(1).public.line)
    (publisher.here / "my.key").write_bytes(key_file(1))
    (publisher.here / "my.key").chmod(0o600)
    (publisher.here / "my.pub").write_text("a list of pubs")
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = "my.key"
    done = refused(publisher, "key-rotate")
    assert (done.code, done.error) == (1, "no-public-key-file")


def test_a_key_that_another_profile_names_is_not_destroyed(publisher: Publisher) -> None:
    file = published(publisher)
    (publisher.here / "b").mkdir()
    (publisher.here / "b" / "pypi_profile.toml").write_bytes(file.data)
    done = refused(publisher, "key-rotate", "b", "--no-keep-old", "--force")
    assert (done.code, done.error) == (1, "needed-elsewhere")
    publisher.good("key-rotate", "b")
    publisher.good("sign", "--url", URLS[0])


def test_every_profile_that_was_signed_for_is_remembered(publisher: Publisher) -> None:
    file = published(publisher)
    for name in "bc":
        (publisher.here / name).mkdir()
        (publisher.here / name / "pypi_profile.toml").write_bytes(file.data)
        publisher.good("update-proofs", name)
    for source in (".", "c", "b"):
        done = refused(publisher, "key-rotate", source, "--no-keep-old", "--force")
        assert (done.code, done.error) == (1, "needed-elsewhere")
    for source in (".", "c"):
        publisher.good("key-rotate", source)
    # The last one that names it is free to let it go.
    publisher.good("key-rotate", "b", "--no-keep-old", "--force")
