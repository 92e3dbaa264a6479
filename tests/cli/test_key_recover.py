"""`key-recover`: it changes nothing while the key is there, and everything together when it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.test_key_rotate import URLS, check_proofs, now, published, refused, snapshot
from tests.publisher import Publisher

from sealstead.formats.minisign import parse_public_key, parse_secret_key
from sealstead.secret import Secret


def lose(publisher: Publisher) -> None:
    for path in publisher.keys.iterdir():
        path.unlink()


def test_a_lost_key_is_replaced_in_the_profile_too(publisher: Publisher) -> None:
    """pypi-profile 0.3.0 leaves a `public_key` that is not empty, and all its new proofs are invalid."""
    before = published(publisher)
    lose(publisher)
    done = publisher.good("key-recover", "pypi_profile.toml", "--json").json
    after = now(publisher)
    assert after.profile.verification.public_key not in ("", before.profile.verification.public_key)
    check_proofs(after)
    secret = parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes()).open()
    assert secret.public.line == after.profile.verification.public_key
    assert done["key_was_present"] is False
    assert done["urls_needing_update"] == done["updated_urls"] == list(URLS)
    assert done["sk_path"] == str(publisher.keys / "minisign.ada.key")
    assert after.profile.verification.statements == ()


def test_it_says_what_a_reader_will_see(publisher: Publisher) -> None:
    before = published(publisher)
    lose(publisher)
    done = publisher.good("key-recover", "pypi_profile.toml")
    old = parse_public_key(before.profile.verification.public_key).id
    assert "takeover" in done.err
    assert f"key-revoke --key {old}" in done.err
    for link in now(publisher).profile.profiles[:2]:
        assert link.url in done.out
        assert link.stored_proof in done.out.splitlines()


def test_a_key_that_is_there_is_named_and_nothing_changes(publisher: Publisher) -> None:
    file = published(publisher)
    done = refused(publisher, "key-recover", "pypi_profile.toml")
    assert (done.code, done.error) == (1, "key-still-there")
    assert "key-rotate" in done.err
    assert parse_public_key(file.profile.verification.public_key).id in done.err


@pytest.mark.parametrize("where", ["archive", "keyring", "encrypted"])
def test_it_is_there_also_where_it_is_less_expected(publisher: Publisher, where: str) -> None:
    if where == "keyring":
        publisher.use_keyring()
    if where == "encrypted":
        publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "old"
    published(publisher)
    publisher.environment.pop("PYPI_PROFILE_KEY_PASSWORD", None)
    if where == "archive":
        kept = publisher.profile.read_bytes()
        publisher.good("key-rotate")
        publisher.profile.write_bytes(kept)
    if where == "keyring":
        (publisher.keys / "minisign.ada.key").unlink()
    if where == "encrypted":
        (publisher.keys / "minisign.ada.pub").unlink()
        (publisher.keys / "keys.json").unlink()
    assert refused(publisher, "key-recover").error == "key-still-there"


def test_force_goes_on_and_keeps_what_is_there(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "forgotten"
    published(publisher)
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    done = publisher.good("key-recover", "--force", "--json").json
    assert done["key_was_present"] is True
    check_proofs(now(publisher))
    (kept,) = publisher.keys.glob("*.bak")
    assert parse_secret_key(kept.read_bytes()).open(Secret("forgotten")).public.id == done["old_key_id"]


def test_a_damaged_key_counts_as_lost_and_is_kept(publisher: Publisher) -> None:
    published(publisher)
    path = publisher.keys / "minisign.ada.key"
    damaged = path.read_bytes()[:-60]
    path.write_bytes(damaged)
    done = publisher.good("key-recover", "--json").json
    check_proofs(now(publisher))
    assert Path(done["archived_path"]).read_bytes() == damaged
    doctor = publisher.good("doctor", "--json").json  # nobody can mend it
    (note,) = [each for each in doctor["checks"] if done["old_key_id"] in each["label"]]
    assert (note["status"], note["detail"]) == (
        "note",
        "not a minisign secret key: a line is cut off or damaged",
    )
    assert f"ada {done['old_key_id']}: not a minisign" in publisher.good("key-list").err


def test_another_key_in_its_place_is_kept(publisher: Publisher) -> None:
    file = published(publisher)
    publisher.good("keygen", "--force")
    for path in publisher.keys.glob("*.bak"):
        path.unlink()
    publisher.profile.write_bytes(file.data)
    other = (publisher.keys / "minisign.ada.key").read_bytes()
    publisher.good("key-recover")
    check_proofs(now(publisher))
    assert other in [kept.read_bytes() for kept in publisher.keys.glob("*.bak")]


def test_a_dry_run_writes_nothing(publisher: Publisher) -> None:
    published(publisher)
    lose(publisher)
    before = snapshot(publisher)
    done = publisher.good("key-recover", "--dry-run", "--json").json
    assert (done["new_key_id"], done["urls_needing_update"]) == (None, list(URLS))
    assert snapshot(publisher) == before


def test_what_is_no_public_key_is_replaced_too(publisher: Publisher) -> None:
    published(publisher)
    text = publisher.profile.read_text()
    line = now(publisher).profile.verification.public_key
    publisher.profile.write_text(text.replace(line, "RW-not-a-key"))
    lose(publisher)
    publisher.good("key-recover")
    check_proofs(now(publisher))


def test_without_a_profile_there_is_nothing_to_recover(publisher: Publisher) -> None:
    done = refused(publisher, "key-recover")
    assert (done.code, done.error) == (2, "no-profile")


def test_a_new_key_can_be_encrypted(publisher: Publisher) -> None:
    published(publisher)
    lose(publisher)
    publisher.good("key-recover", "--password-stdin", stdin="new\n")
    file = parse_secret_key((publisher.keys / "minisign.ada.key").read_bytes())
    assert file.open(Secret("new")).public.line == now(publisher).profile.verification.public_key


def test_the_lost_key_is_history_and_no_defect(publisher: Publisher) -> None:
    before = published(publisher)
    (publisher.keys / "minisign.ada.key").unlink()
    done = publisher.good("key-recover", "--json").json
    old = parse_public_key(before.profile.verification.public_key)
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states == {done["new_key_id"]: "active", old.id: "archived"}
    assert "its file is gone" not in publisher.run("doctor").out
    publisher.good("key-revoke", "--key", old.id, "--reason", "lost", "--force")
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states == {done["new_key_id"]: "active", old.id: "revoked"}
    assert "its file is gone" not in publisher.run("doctor").out


def test_a_key_of_another_name_is_not_lost(publisher: Publisher) -> None:
    published(publisher)
    done = refused(publisher, "key-recover", "--keyring-identity", "work")
    assert (done.code, done.error) == (1, "key-still-there")
    publisher.environment["PYPI_PROFILE_KEY_PATH"] = str(publisher.root / "missing.key")
    assert refused(publisher, "key-recover").error == "key-still-there"


def test_a_key_in_the_keyring_under_another_name_is_not_lost(publisher: Publisher) -> None:
    """Made as `default`, before the profile had a user name."""
    publisher.use_keyring()
    publisher.write_profile()
    publisher.good("keygen")
    text = publisher.profile.read_text().replace('pypi_username = ""', 'pypi_username = "ada"')
    publisher.profile.write_text(text)
    for path in publisher.keys.glob("minisign*"):
        path.unlink()
    assert refused(publisher, "key-recover").error == "key-still-there"


@pytest.mark.parametrize("how", ["locked", "switched off"])
def test_a_keyring_that_does_not_tell_is_no_proof_of_a_loss(publisher: Publisher, how: str) -> None:
    publisher.use_keyring()
    published(publisher)
    for path in publisher.keys.glob("minisign*"):
        path.unlink()
    options = ["--no-keyring"] if how == "switched off" else []
    publisher.use_keyring("locked" if how == "locked" else "ok")
    done = refused(publisher, "key-recover", *options)
    assert (done.code, done.error) == (1, "unsure")
    publisher.good("key-recover", *options, "--force")
    check_proofs(now(publisher))
