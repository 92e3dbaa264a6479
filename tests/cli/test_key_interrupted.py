"""Commands on keys that were interrupted: the next one ends them, and those that only look find the key all the same."""

from __future__ import annotations

import itertools
import os

import pytest
from tests.cli.test_key_recover import lose
from tests.cli.test_key_rotate import check_proofs, now, published, refused, snapshot
from tests.fakes.death import Killed, dies_at
from tests.publisher import Publisher

from sealstead.formats.minisign import parse_public_key


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of them are made here, and no machine loses its power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def interrupted(publisher: Publisher, *arguments: str, committed: bool) -> None:
    """Kill the command as late as it goes before, or as early as it goes after the profile is replaced."""
    publisher.good("key-list")
    start = {path: path.read_bytes() for path in publisher.root.rglob("*") if path.is_file()}
    last: dict[str, bytes] = {}
    profile = publisher.profile.read_bytes()
    for number in itertools.count():
        with pytest.raises(Killed), dies_at(number):
            publisher.run(*arguments)
        if publisher.profile.read_bytes() != profile:
            if not committed:
                put_back(publisher, last)
            return
        last = snapshot(publisher)
        for path in publisher.root.rglob("*"):
            if path.is_file() and path not in start:
                path.unlink()
        for path, content in start.items():
            path.write_bytes(content)


def put_back(publisher: Publisher, state: dict[str, bytes]) -> None:
    for path in publisher.root.rglob("*"):
        if path.is_file() and not path.name.endswith(".lock"):
            path.unlink()
    for name, content in state.items():
        (publisher.root / name).write_bytes(content)
        if name.endswith((".key", ".bak", ".staged", ".json")):
            (publisher.root / name).chmod(0o600)


def own(publisher: Publisher) -> str:
    return parse_public_key(now(publisher).profile.verification.public_key).id


def test_before_the_profile_is_replaced_it_is_undone_and_done_anew(publisher: Publisher) -> None:
    published(publisher)
    first = own(publisher)
    interrupted(publisher, "key-rotate", committed=False)
    done = publisher.good("key-rotate", "--json")
    assert "has been undone" in done.err
    assert done.json["old_key_id"] == first
    check_proofs(now(publisher))
    assert len(list(publisher.keys.glob("*.bak"))) == 1


def test_after_the_profile_is_replaced_it_is_finished_and_not_done_twice(publisher: Publisher) -> None:
    """Pages may show the proofs of the interrupted run already; and no passphrase is needed any more."""
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "pass"
    published(publisher)
    first = own(publisher)
    interrupted(publisher, "key-rotate", "pypi_profile.toml", "--overlap", "7d", committed=True)
    del publisher.environment["PYPI_PROFILE_KEY_PASSWORD"]
    second = own(publisher)
    done = publisher.good("key-rotate", "pypi_profile.toml", "--overlap", "7d", "--json")
    assert "has been finished" in done.err
    assert (done.json["old_key_id"], done.json["new_key_id"]) == (first, second)
    assert own(publisher) == second
    assert [page["proof"] for page in done.json["pages"]] == [
        link.stored_proof for link in now(publisher).profile.profiles if link.stored_proof
    ]
    check_proofs(now(publisher))


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_looking_writes_nothing_and_signs_with_the_key_of_the_profile(
    publisher: Publisher, *, committed: bool
) -> None:
    published(publisher)
    interrupted(publisher, "key-rotate", committed=committed)
    before = snapshot(publisher)
    info = publisher.good("key-info", "--json")
    assert info.json["key_id"] == own(publisher)
    assert "an interrupted key-rotate of ada waits" in info.err
    publisher.good("sign", "--url", "https://example.org/~ada")
    publisher.good("key-list")
    publisher.good("key-rotate", "--dry-run")
    publisher.good("key-export", "--output", "b.key", "--dry-run")
    assert snapshot(publisher) == before


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_a_profile_that_was_edited_meanwhile_is_a_conflict_with_a_way_out(
    publisher: Publisher, *, committed: bool
) -> None:
    published(publisher)
    interrupted(publisher, "key-rotate", committed=committed)
    publisher.profile.write_text("# edited\n" + publisher.profile.read_text())
    for command in (
        ["key-rotate", "--force"],
        ["key-recover"],
        ["key-revoke"],
        ["keygen"],
        ["update-proofs"],
    ):
        done = refused(publisher, *command)
        assert (done.code, done.error) == (1, "change-conflict")
        assert "key-restore --give-up" in done.err
    kept = publisher.good("key-restore", "--give-up", "--json").json["kept"]
    assert len(kept) == 1
    assert publisher.profile.read_text().startswith("# edited\n")
    assert [path.name for path in publisher.here.iterdir()] == ["pypi_profile.toml"]
    publisher.good("sign", "--url", "https://example.org/~ada")
    if committed:
        publisher.good("key-restore", own(publisher))
        assert publisher.good("key-info", "--json").json["source"] == "disk"
    publisher.good("key-rotate")
    check_proofs(now(publisher))


def test_a_change_is_given_up_on_paper_only_in_a_dry_run(publisher: Publisher) -> None:
    published(publisher)
    interrupted(publisher, "key-rotate", committed=True)
    before = snapshot(publisher)
    assert publisher.good("key-restore", "--give-up", "--dry-run", "--json").json["given_up"] is True
    assert snapshot(publisher) == before


def test_an_interrupted_recovery_is_finished_once(publisher: Publisher) -> None:
    published(publisher)
    lose(publisher)
    interrupted(publisher, "key-recover", committed=True)
    second = own(publisher)
    assert publisher.good("key-recover", "--json").json["new_key_id"] == second
    assert publisher.run("key-recover").code == 1
    check_proofs(now(publisher))


def test_an_interrupted_return_is_finished_once(publisher: Publisher) -> None:
    published(publisher)
    made = publisher.good("key-rotate", "--json").json
    interrupted(publisher, "key-restore", made["old_key_id"], committed=True)
    publisher.good("key-restore", made["old_key_id"])
    assert own(publisher) == made["old_key_id"]
    assert [path.name for path in publisher.keys.glob("*.bak")] == [f"minisign.ada.{made['new_key_id']}.bak"]
    check_proofs(now(publisher))
