"""The few file operations of a change: each is done or not done, and none takes what is somebody else's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from sealstead.custody.files import FileExistsConflictError
from sealstead.custody.journal_file import (
    UNREADABLE,
    StagedLeftoverError,
    WriteFailedError,
    add,
    digest,
    digest_of,
    load_journal,
    put_in_place,
    remove,
    remove_journal,
    save_journal,
    stage,
    sweep,
)
from sealstead.custody.key_dir import KeyDir
from sealstead.lifecycle.journal import Journal, JournalDamagedError, Phase, Step

JOURNAL = Journal(
    command="keygen",
    identity="default",
    steps=(Step(store="/a", phase=Phase.COMMIT, before=None, after="x"),),
    facts={"new_id": "A"},
)


@pytest.fixture
def keys(tmp_path: Path) -> KeyDir:
    directory = KeyDir(tmp_path / "keys")
    directory.make()
    return directory


def test_a_journal_is_there_until_it_is_removed(keys: KeyDir) -> None:
    assert load_journal(keys) is None
    save_journal(keys, JOURNAL)
    assert load_journal(keys) == JOURNAL
    assert [path.name for path in keys.path.iterdir()] == ["journal.json"]
    assert stat.S_IMODE((keys.path / "journal.json").stat().st_mode) == 0o600
    remove_journal(keys)
    assert load_journal(keys) is None


def test_a_torn_journal_of_a_process_that_died_is_written_over(keys: KeyDir) -> None:
    (keys.path / "journal.json.staged").write_bytes(b'{"ver')
    save_journal(keys, JOURNAL)
    assert load_journal(keys) == JOURNAL


def test_a_journal_that_is_none_is_told_of(keys: KeyDir) -> None:
    (keys.path / "journal.json").write_bytes(b"lol")
    with pytest.raises(JournalDamagedError):
        load_journal(keys)


def test_what_is_no_regular_file_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert digest_of(tmp_path / "file") == digest(b"x")
    assert digest_of(tmp_path / "nothing") is None
    assert digest_of(tmp_path / "link") == digest_of(tmp_path) == UNREADABLE


def test_a_staged_secret_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        stage(tmp_path / "staged", b"x", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "staged").stat().st_mode) == 0o600


def test_a_staged_file_takes_the_mode_of_what_it_will_replace(tmp_path: Path) -> None:
    (tmp_path / "profile").write_bytes(b"x")
    (tmp_path / "profile").chmod(0o604)
    stage(tmp_path / "staged", b"y", mode=0o600, like=tmp_path / "profile")
    put_in_place(tmp_path / "staged", tmp_path / "profile")
    assert stat.S_IMODE((tmp_path / "profile").stat().st_mode) == 0o604
    assert (tmp_path / "profile").read_bytes() == b"y"


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_nothing_is_staged_over_what_is_there(tmp_path: Path, *, link: bool) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"kept")
    staged = tmp_path / "staged"
    if link:
        staged.symlink_to(target)
    else:
        staged.write_bytes(b"kept")
    with pytest.raises(StagedLeftoverError):
        stage(staged, b"y", mode=0o600)
    assert target.read_bytes() == staged.read_bytes() == b"kept"


def test_a_name_that_is_taken_is_not_taken_over(tmp_path: Path) -> None:
    stage(tmp_path / "staged", b"new", mode=0o600)
    (tmp_path / "name").write_bytes(b"old")
    with pytest.raises(FileExistsConflictError):
        add(tmp_path / "staged", tmp_path / "name")
    assert (tmp_path / "name").read_bytes() == b"old"
    remove(tmp_path / "name")
    add(tmp_path / "staged", tmp_path / "name")
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    stage(tmp_path / "staged", b"new", mode=0o600)
    (tmp_path / "name").write_bytes(b"old")
    with pytest.raises(FileExistsConflictError):
        add(tmp_path / "staged", tmp_path / "name")
    remove(tmp_path / "name")
    add(tmp_path / "staged", tmp_path / "name")
    assert (tmp_path / "name").read_bytes() == b"new"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(WriteFailedError, match="nowhere"):
        stage(tmp_path / "nowhere" / "staged", b"x", mode=0o600)


def test_removing_nothing_is_no_mistake(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")


def test_what_a_killed_writer_left_is_swept_and_nothing_else(keys: KeyDir) -> None:
    ours = [".keys.json.0123456789ab.tmp", ".minisign.ada.key.0123456789ab.tmp"]
    others = [".notes.0123456789ab.tmp", ".keys.json.tmp", "minisign.tmp"]
    for name in (*ours, *others):
        (keys.path / name).write_bytes(b"")
    assert keys.has_traces()
    sweep(keys)
    assert sorted(path.name for path in keys.path.iterdir()) == sorted(others)
    assert not keys.has_traces()
