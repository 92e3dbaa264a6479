"""`doctor`: each thing that can be wrong, made wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.profile_place import ProfilePlace
from tests.keys import key, key_file

SCRIPT = f"#!{sys.executable}\nfrom sealstead.cli.pypi_profile import main\n"


@pytest.fixture
def healthy(place: ProfilePlace) -> ProfilePlace:
    programs = place.home / "bin"
    programs.mkdir()
    (programs / "pypi-profile").write_text(SCRIPT)
    (programs / "pypi-profile").chmod(0o755)
    place.publisher.environment["PATH"] = str(programs)
    place.run("init", "--username", "ada")
    place.run("keygen")
    return place


def problems(place: ProfilePlace) -> list[dict[str, Any]]:
    before = place.files()
    told = place.run("doctor", "--json", code=None)
    assert place.files() == before
    found = [check for check in told.document["checks"] if check["status"] == "problem"]
    assert (told.code, told.document["ok"]) == ((1, False) if found else (0, True))
    assert told.document["summary"]["problem"] == len(found)
    return found


def test_nothing_to_repair(healthy: ProfilePlace) -> None:
    assert problems(healthy) == []
    told = healthy.run("doctor")
    assert told.out.endswith("\nNothing to repair\n")
    assert "OK  signing key: " in told.out
    assert "--  keyring: not used: " in told.out


def test_an_empty_home_is_no_problem(place: ProfilePlace) -> None:
    place.publisher.environment["PATH"] = str(place.home)
    assert problems(place) == []


def open_key(place: ProfilePlace) -> None:
    (place.keys / "minisign.ada.key").chmod(0o644)


def open_directory(place: ProfilePlace) -> None:
    place.keys.chmod(0o755)


def foreign_index(place: ProfilePlace) -> None:
    (place.keys / "keys.json").write_text('{"format": "somebody else\'s"}')


def key_nowhere(place: ProfilePlace) -> None:
    for path in place.keys.iterdir():
        path.unlink()


def other_key(place: ProfilePlace) -> None:
    (place.keys / "minisign.ada.key").write_bytes(key_file(2))


def other_public_key(place: ProfilePlace) -> None:
    (place.keys / "minisign.ada.pub").write_text(key(2).public.line)


def damaged_key(place: ProfilePlace) -> None:
    (place.keys / "minisign.ada.key").write_bytes(b"untrusted comment: x\nlol\n")


def linked_key(place: ProfilePlace) -> None:
    (place.keys / "minisign.ada.key").rename(place.home / "elsewhere")
    (place.keys / "minisign.ada.key").symlink_to(place.home / "elsewhere")


def damaged_journal(place: ProfilePlace) -> None:
    (place.keys / "journal.json").write_text("{}")


def broken_profile(place: ProfilePlace) -> None:
    place.write("[")


def bad_public_key(place: ProfilePlace) -> None:
    place.write('[identity]\npypi_username = "ada"\n[verification]\npublic_key = "lol"\n')


def other_program(place: ProfilePlace) -> None:
    (place.home / "bin" / "pypi-profile").write_text("#!/bin/sh\n")


def impossible_identity(place: ProfilePlace) -> None:
    place.publisher.environment["PYPI_PROFILE_KEYRING_USERNAME"] = "../ada"


@pytest.mark.parametrize(
    ("harm", "label", "fact"),
    [
        (open_key, "ada ", "open to other users"),
        (open_directory, "directory", "open to other users"),
        (foreign_index, "index", "keys.json"),
        (key_nowhere, "signing key", "which the profile names"),
        (other_key, "signing key", "the profile names"),
        (other_public_key, "public key file", "the secret key is"),
        (damaged_key, "signing key", "minisign.ada.key"),
        (linked_key, "signing key", "symbolic link"),
        (damaged_journal, "journal", ""),
        (broken_profile, "file", "pypi_profile.toml:1:2"),
        (bad_public_key, "verification.public_key", "minisign public key"),
        (other_program, "pypi-profile", "another program"),
        (impossible_identity, "keys", "cannot be an identity"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_what_is_wrong_is_found(
    healthy: ProfilePlace, harm: Callable[[ProfilePlace], None], label: str, fact: str
) -> None:
    harm(healthy)
    found = problems(healthy)
    assert any(each["label"].startswith(label) and fact in each["detail"] for each in found), found
    told = healthy.run("doctor", code=1)
    assert "  !!  " in told.out
    assert told.out.splitlines()[-1] == f"{len(found)} to be repaired"


def test_another_distribution_that_owns_the_command_is_found(
    healthy: ProfilePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "site" / "pypi_profile-0.3.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pypi-profile\nVersion: 0.3.0\n")
    (metadata / "entry_points.txt").write_text("[console_scripts]\npypi-profile = pypi_profile.cli:main\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (found,) = problems(healthy)
    assert found["label"] == "distribution pypi-profile"
    assert "pip uninstall pypi-profile" in found["hint"]


def test_a_keyring_that_holds_another_key_is_found(healthy: ProfilePlace) -> None:
    healthy.publisher.use_keyring()
    healthy.run("keygen", "--force")
    assert problems(healthy) == []
    path = healthy.keys / "minisign.ada.key"
    path.write_bytes(key_file(2))
    (found,) = [each for each in problems(healthy) if "keyring holds another key" in each["detail"]]
    assert found["hint"].endswith(f"keyring del pypi-profile ada, then key-import {path}")
    # What it says helps: the entry is taken away by its owner, never by us.
    entries = json.loads(healthy.publisher.entries.read_text())
    del entries["pypi-profile/ada"]
    healthy.publisher.entries.write_text(json.dumps(entries))
    healthy.run("key-import", path, "--force")
    assert not any("keyring" in each["detail"] for each in problems(healthy))


def test_a_keyring_that_does_not_answer_is_told_in_one_line(healthy: ProfilePlace) -> None:
    healthy.publisher.use_keyring("raises")
    told = healthy.run("doctor", code=None)
    assert "Traceback" not in told.out


@pytest.mark.parametrize(("year", "fact"), [(1969, "says 1969-01-01"), (2026, "which is still to come")])
def test_a_clock_that_is_wrong_or_was_moved_back_is_found(
    healthy: ProfilePlace, monkeypatch: pytest.MonkeyPatch, year: int, fact: str
) -> None:
    monkeypatch.setattr("sealstead.clock.SystemClock.now", lambda _: datetime(year, 1, 1, tzinfo=UTC))
    assert any(each["label"] == "clock" and fact in each["detail"] for each in problems(healthy))


def test_an_archived_key_that_somebody_removed_is_history(place: ProfilePlace) -> None:
    place.run("keygen")
    place.run("keygen", "--force")
    (archived,) = place.keys.glob("*.bak")
    archived.unlink()
    document = place.run("doctor", "--json").document
    assert [each["status"] for each in document["checks"] if "its file is gone" in each["detail"]] == ["note"]
