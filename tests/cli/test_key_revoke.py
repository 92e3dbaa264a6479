"""`key-revoke` and `key-restore`: what is said of a key that was, and how one comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.test_key_recover import lose
from tests.cli.test_key_rotate import check_proofs, now, published, refused, snapshot
from tests.keys import key
from tests.publisher import Publisher

from sealstead.formats.minisign import parse_public_key
from sealstead.formats.statement import Reason, Revocation, verify_statement
from sealstead.identity.statements import believed_keys, find_revocation


def own_id(publisher: Publisher) -> str:
    return parse_public_key(now(publisher).profile.verification.public_key).id


def revocation(publisher: Publisher) -> Revocation:
    statement = verify_statement(now(publisher).profile.verification.statements[-1])
    assert isinstance(statement, Revocation)
    return statement


def test_the_key_says_so_itself(publisher: Publisher) -> None:
    file = published(publisher)
    done = publisher.good("key-revoke", "--reason", "compromised", "--json", "--force").json
    said = revocation(publisher)
    assert said.key == said.signer == parse_public_key(file.profile.verification.public_key)
    assert (said.reason, done["reason"], done["was_profile_key"]) == (Reason.COMPROMISED, "compromised", True)
    assert believed_keys(now(publisher).profile, datetime.now(UTC)) == []
    assert publisher.good("key-list", "--json").json[0]["state"] == "revoked"


def test_a_key_that_was_replaced_is_revoked_by_its_id_in_either_order(publisher: Publisher) -> None:
    published(publisher)
    made = publisher.good("key-rotate", "--overlap", "7d", "--json").json
    turned = bytes.fromhex(made["old_key_id"])[::-1].hex()
    assert len(believed_keys(now(publisher).profile, datetime.now(UTC))) == 2
    publisher.good("key-revoke", "--key", turned, "--force")
    said = revocation(publisher)
    assert said.key.id == said.signer.id == made["old_key_id"]
    assert len(believed_keys(now(publisher).profile, datetime.now(UTC))) == 1


def test_where_the_key_is_gone_its_successor_says_so(publisher: Publisher) -> None:
    file = published(publisher)
    old = parse_public_key(file.profile.verification.public_key)
    lose(publisher)
    publisher.good("key-recover")
    done = refused(publisher, "key-revoke", "--key", "0123456789ABCDEF", "--force")
    assert (done.code, done.error) == (3, "no-key")
    publisher.good("key-revoke", "--key", old.line, "--reason", "lost", "--force")
    said = revocation(publisher)
    assert (said.key, said.signer.id) == (old, own_id(publisher))
    assert find_revocation(now(publisher).profile, old, datetime.now(UTC))
    publisher.good("key-rotate")
    kept = find_revocation(now(publisher).profile, old, datetime.now(UTC))
    assert kept is not None
    assert kept.signer.id == own_id(publisher)


def test_the_moment_may_lie_in_the_past_and_not_ahead(publisher: Publisher) -> None:
    published(publisher)
    ahead = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert refused(publisher, "key-revoke", "--since", ahead, "--force").error == "revocation-date"
    wrong = publisher.run("key-revoke", "--since", "yesterday", "--force")
    assert wrong.code == 2
    assert "a day as 2026-11-01" in wrong.err
    publisher.good("key-revoke", "--since", "2026-01-02", "--force")
    assert revocation(publisher).revoked_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_saying_it_again_says_nothing_new(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-revoke", "--since", "3d", "--force")
    before = snapshot(publisher)
    assert publisher.good("key-revoke", "--json", "--force").json["changed"] is False
    assert snapshot(publisher) == before
    publisher.good("key-revoke", "--since", "9d", "--force")
    assert len(now(publisher).profile.verification.statements) == 2


def test_somebody_elses_key_is_not_ours_to_revoke_alone(publisher: Publisher) -> None:
    """The profile's key may say it, and readers of this profile alone take its word."""
    published(publisher)
    (publisher.keys / "minisign.ada.key").unlink()
    done = refused(publisher, "key-revoke", "--key", key(7).public.line, "--force")
    assert (done.code, done.error) == (3, "nobody-to-sign")


def test_an_encrypted_key_needs_its_passphrase_for_it(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "old"
    published(publisher)
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    assert refused(publisher, "key-revoke", "--force").error == "passphrase-needed"
    publisher.good("key-revoke", "--password-stdin", "--force", stdin="old\n")
    assert revocation(publisher)


@pytest.mark.parametrize("name", ["lol", "0123456789ABCDEF0", "nowhere.pub"])
def test_what_names_no_key_is_refused(publisher: Publisher, name: str) -> None:
    published(publisher)
    assert refused(publisher, "key-revoke", "--key", name, "--force").code == 2


def test_nobody_revokes_by_accident(publisher: Publisher) -> None:
    """It cannot be taken back: where nobody can be asked, it has to be said."""
    published(publisher)
    done = refused(publisher, "key-revoke", "--reason", "compromised")
    assert (done.code, done.error) == (2, "needs-force")


def test_every_command_names_the_same_way_on(publisher: Publisher) -> None:
    published(publisher)
    told = publisher.good("key-revoke", "--reason", "compromised", "--force")
    assert "key-rotate" in told.err
    for command in (
        ["sign", "--url", "https://example.org/~ada"],
        ["sign", "--url", "https://example.org/~ada", "--dry-run"],
        ["update-proofs", "--force"],
        ["update-proofs", "--dry-run"],
        ["sign-file", "pypi_profile.toml"],
        ["validate"],
        ["inspect"],
        ["doctor"],
        ["verify"],
        ["key-info"],
        ["key-info", "--json"],
        ["key-list"],
        ["key-list", "--json"],
    ):
        done = publisher.run(*command)
        assert "key-rotate gives the profile another key" in done.out + done.err, command
        assert "keygen" not in done.out + done.err


def test_it_outlives_the_index_and_holds_away_from_the_profile(publisher: Publisher) -> None:
    published(publisher)
    revoked = own_id(publisher)
    publisher.good("key-revoke", "--reason", "compromised", "--since", "2026-01-02", "--force")
    (publisher.keys / "keys.json").unlink()
    publisher.profile.unlink()
    (publisher.here / "file").write_text("x")
    done = refused(publisher, "sign-file", "file", "--keyring-identity", "ada")
    assert (done.code, done.error) == (3, "key-revoked")
    assert "2026-01-02" in done.err
    listed = publisher.good("key-list", "--json").json
    assert [(row["key_id"], row["state"], row["problem"]) for row in listed] == [(revoked, "revoked", None)]
    # It is remembered by an index that is made anew, and of a key that has been archived since.
    publisher.good("key-rotate", "--keyring-identity", "ada")
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert (len(states), states[revoked]) == (2, "revoked")
    publisher.good("sign-file", "file", "--keyring-identity", "ada")


def test_a_second_profile_with_the_same_key_is_told_too(publisher: Publisher) -> None:
    """It does not say that the key is revoked, and whoever reads it would go on believing."""
    published(publisher)
    revoked = own_id(publisher)
    text = publisher.profile.read_text()
    publisher.good("key-revoke", "--reason", "compromised", "--force")
    publisher.profile.write_text(text)
    for command in (
        ["sign", "--url", "https://example.org/~ada"],
        ["update-proofs"],
        ["doctor"],
        ["key-info"],
    ):
        done = publisher.run(*command)
        assert "key-rotate gives the profile another key" in done.out + done.err, command
    assert refused(publisher, "key-rotate", "--overlap", "7d").error == "revoked-key"
    publisher.good("key-rotate")
    # A thief could have signed a rotation as well, so there is none.
    assert now(publisher).profile.verification.statements == ()
    assert own_id(publisher) != revoked
    check_proofs(now(publisher))
    after = publisher.good("key-list")
    assert "key-rotate" not in after.out + after.err


def test_a_clone_of_the_profile_knows_of_it_where_the_key_directory_does_not(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-revoke", "--force")
    (publisher.keys / "keys.json").unlink()
    for path in publisher.keys.glob("*.revoked"):
        path.unlink()
    assert publisher.good("key-info", "--json").json["state"] == "revoked"
    assert publisher.good("key-list", "--json").json[0]["state"] == "revoked"


def test_a_revocation_beside_the_key_counts_only_if_it_is_signed(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("key-revoke", "--since", "2026-01-02", "--force")
    publisher.profile.unlink()
    (publisher.keys / "keys.json").unlink()
    (beside,) = publisher.keys.glob("*.revoked")
    beside.write_text(beside.read_text().replace("2026-01-02", "2026-01-01"))
    assert publisher.good("key-list", "--json").json[0]["state"] == "active"


def test_at_a_terminal_it_asks_and_a_dry_run_writes_nothing(publisher: Publisher) -> None:
    published(publisher)
    before = snapshot(publisher)
    assert publisher.run("key-revoke", answers="n\n").code == 1
    assert publisher.good("key-revoke", "--dry-run", "--json").json["dry_run"] is True
    assert snapshot(publisher) == before


def test_an_archived_key_comes_back_with_its_profile(publisher: Publisher) -> None:
    file = published(publisher)
    made = publisher.good("key-rotate", "--json").json
    done = publisher.good("key-restore", made["old_key_id"], "--json").json
    assert done["new_key_id"] == made["old_key_id"] == own_id(publisher)
    assert now(publisher).profile.verification.public_key == file.profile.verification.public_key
    check_proofs(now(publisher))
    states = {row["key_id"]: row["state"] for row in publisher.good("key-list", "--json").json}
    assert states == {made["old_key_id"]: "active", made["new_key_id"]: "archived"}
    assert [path.name for path in publisher.keys.glob("*.bak")] == [Path(done["archived_path"]).name]
    assert len(now(publisher).profile.verification.statements) == 2


def test_a_profile_that_names_it_already_is_left_alone(publisher: Publisher) -> None:
    published(publisher)
    kept = publisher.profile.read_bytes()
    made = publisher.good("key-rotate", "--json").json
    publisher.profile.write_bytes(kept)
    publisher.good("key-restore", made["old_key_id"])
    assert publisher.profile.read_bytes() == kept
    assert publisher.good("key-info", "--json").json["key_id"] == made["old_key_id"]
    assert len(list(publisher.keys.glob("*.bak"))) == 1


def test_a_key_comes_back_away_from_any_profile(publisher: Publisher) -> None:
    publisher.good("keygen", "--keyring-identity", "work")
    made = publisher.good("key-rotate", "--keyring-identity", "work", "--json").json
    publisher.good("key-restore", made["old_key_id"])
    info = publisher.good("key-info", "--keyring-identity", "work", "--json").json
    assert info["key_id"] == made["old_key_id"]


def test_a_revoked_key_does_not_come_back(publisher: Publisher) -> None:
    published(publisher)
    made = publisher.good("key-rotate", "--json").json
    publisher.good("key-revoke", "--key", made["old_key_id"], "--force")
    assert refused(publisher, "key-restore", made["old_key_id"]).error == "revoked-key"


def test_the_active_key_need_not_come_back(publisher: Publisher) -> None:
    published(publisher)
    before = snapshot(publisher)
    assert publisher.good("key-restore", own_id(publisher), "--json").json["restored"] is False
    assert snapshot(publisher) == before


def test_an_unknown_key_cannot_come_back(publisher: Publisher) -> None:
    published(publisher)
    assert refused(publisher, "key-restore", "0123456789ABCDEF").error == "no-key"
    assert refused(publisher, "key-restore", "lol").error == "key-id"
    assert refused(publisher, "key-restore").error == "no-key-named"


def test_an_encrypted_key_comes_back_as_it_was(publisher: Publisher) -> None:
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "old"
    published(publisher)
    blob = (publisher.keys / "minisign.ada.key").read_bytes()
    made = publisher.good("key-rotate", "--json").json
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    assert refused(publisher, "key-restore", made["old_key_id"]).error == "passphrase-needed"
    publisher.good("key-restore", made["old_key_id"], "--password-stdin", stdin="old\n")
    assert (publisher.keys / "minisign.ada.key").read_bytes() == blob
    check_proofs(now(publisher))


def test_nothing_is_given_up_where_nothing_waits(publisher: Publisher) -> None:
    published(publisher)
    before = snapshot(publisher)
    assert publisher.good("key-restore", "--give-up", "--json").json["given_up"] is False
    assert snapshot(publisher) == before


def test_a_key_of_another_name_is_not_revoked(publisher: Publisher) -> None:
    published(publisher)
    publisher.good("keygen", "--keyring-identity", "work")
    for name in ("work", "nobody"):
        done = refused(publisher, "key-revoke", "--keyring-identity", name, "--force")
        assert (done.code, done.error) == (3, "no-key")
    publisher.good("key-revoke", "--keyring-identity", "ada", "--force")


def test_a_key_does_not_come_back_into_somebody_elses_profile(publisher: Publisher) -> None:
    publisher.good("keygen", "--keyring-identity", "work")
    made = publisher.good("key-rotate", "--keyring-identity", "work", "--json").json
    publisher.write_profile(username="ada")
    before = publisher.profile.read_bytes()
    publisher.good("key-restore", made["old_key_id"])
    assert publisher.profile.read_bytes() == before


def test_a_public_key_file_that_cannot_be_read_keeps_no_key_from_coming_back(publisher: Publisher) -> None:
    published(publisher)
    made = publisher.good("key-rotate", "--json").json
    beside = Path(made["archived_path"]).with_suffix(".pub")
    beside.unlink()
    beside.mkdir()
    publisher.good("key-restore", made["old_key_id"])
    check_proofs(now(publisher))
