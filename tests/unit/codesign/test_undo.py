"""Changes in place: all of it, or the file as it was."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealstead.codesign import undo, undo_journal
from sealstead.codesign.undo import (
    Change,
    Recovered,
    TargetBusyError,
    TargetChangedError,
    change_files,
    facts_of,
    open_target,
    recover,
)
from sealstead.codesign.undo_journal import Content, Entry, ForeignJournalError, journals, write_journal

OLD = b"HEAD0000" + b"content" * 100 + b"old signature" * 3
NEW = b"HEAD1111" + b"content" * 100 + b"a new and much longer signature" * 3
SHORT = b"HEAD2222" + b"content" * 100 + b"short"
BODY = (8, 708)
MODIFIED = 1_700_000_000_123_456_789


def content(data: bytes = OLD) -> Content:
    digest = hashlib.sha256(data[slice(*BODY)] + bytes(4)).digest()
    return Content(algorithm="sha256", ranges=[BODY], padding=4, digest=digest)


def put(path: Path, data: bytes = OLD) -> Path:
    path.write_bytes(data)
    os.utime(path, ns=(MODIFIED, MODIFIED))
    return path


def change(path: Path, new: bytes = NEW) -> Change:
    return Change(
        path=path,
        facts=facts_of(path.stat()),
        content=content(),
        writes=[(708, new[708:]), (4, new[4:8])],
        size=len(new),
    )


def left_behind(path: Path, new: bytes = NEW) -> None:
    """Leave the journal that a killed process leaves: its lock is gone with it."""
    record = Entry(
        name=path.name,
        size=len(OLD),
        modified_ns=MODIFIED,
        content=content(),
        old=[(708, OLD[708:]), (4, OLD[4:8])],
        new_size=len(new),
        new=[(708, new[708:]), (4, new[4:8])],
    )
    os.close(write_journal(path.parent, [record])[1])


@pytest.mark.parametrize("new", [NEW, SHORT])
def test_files_are_changed_in_place_and_no_journal_stays(tmp_path: Path, new: bytes) -> None:
    files = [put(tmp_path / f"{number}.exe") for number in range(70)]
    inodes = [path.stat().st_ino for path in files]
    assert change_files([change(path, new) for path in files]) == {}
    assert {path.read_bytes() for path in files} == {new}
    assert [path.stat().st_ino for path in files] == inodes
    assert journals(tmp_path) == []


def test_a_file_that_changed_since_it_was_digested_is_refused_and_the_others_are_signed(
    tmp_path: Path,
) -> None:
    good, bad = put(tmp_path / "good.exe"), put(tmp_path / "bad.exe")
    changes = [change(bad), change(good)]
    bad.write_bytes(OLD)  # the same bytes, but who knows
    failed = change_files(changes)
    assert {path: type(exc) for path, exc in failed.items()} == {bad: TargetChangedError}
    assert (good.read_bytes(), bad.read_bytes()) == (NEW, OLD)


def test_a_file_that_another_process_signs_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe")
    descriptor = open_target(path)
    try:
        assert [type(exc) for exc in change_files([change(path)]).values()] == [TargetBusyError]
    finally:
        os.close(descriptor)
    assert path.read_bytes() == OLD


@pytest.mark.parametrize(
    ("now", "outcome", "then"),
    [
        (OLD, "undone", OLD),
        (OLD[:708] + NEW[708:], "undone", OLD),
        (OLD[:708] + NEW[708:750] + OLD[750:], "undone", OLD),
        (OLD[:4] + NEW[4:6] + OLD[6:708] + NEW[708:], "undone", OLD),
        (OLD[:720], "stale", OLD[:720]),
        (NEW, "finished", NEW),
        (NEW[:-1], "undone", OLD),
        (NEW[:100] + b"X" + NEW[101:-1], "stale", NEW[:100] + b"X" + NEW[101:-1]),
        (b"built anew", "stale", b"built anew"),
        (NEW[:708] + b"of another signer" * 4, "stale", NEW[:708] + b"of another signer" * 4),
        (OLD + bytes(len(NEW) - len(OLD)), "undone", OLD),
        (NEW + b"x", "stale", NEW + b"x"),
        (None, "stale", None),
    ],
)
def test_what_a_killed_process_left_is_undone_or_found_finished(
    tmp_path: Path, now: bytes | None, outcome: str, then: bytes | None
) -> None:
    path = tmp_path / "a.exe"
    if now is not None:
        put(path, now)
    left_behind(path)
    assert recover(tmp_path) == [Recovered(path=path, outcome=outcome)]
    assert (path.read_bytes() if path.exists() else None) == then
    assert [one.name for one in tmp_path.iterdir()] == ([path.name] if then is not None else [])
    if outcome == "undone":
        assert path.stat().st_mtime_ns == MODIFIED


def test_a_shorter_signature_is_undone_too(tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", OLD[:708] + SHORT[708:])
    left_behind(path, SHORT)
    recover(tmp_path)
    assert path.read_bytes() == OLD


def test_a_journal_that_was_never_complete_has_nothing_to_undo(tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", b"another file")
    left_behind(path)
    (journal,) = journals(tmp_path)
    for length in (0, 10, journal.stat().st_size - 1):
        journal.write_bytes(journal.read_bytes()[:length])
        assert recover(tmp_path) == []
        assert journals(tmp_path) == []
        left_behind(path)
        (journal,) = journals(tmp_path)
    assert path.read_bytes() == b"another file"


def test_a_journal_that_another_process_took_for_left_behind_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks at the directory when the journal is there and not yet locked; here, at that of the first try."""
    path = put(tmp_path / "a.exe")
    real, taken = undo_journal.try_lock, []

    def late(descriptor: int) -> bool:
        if not taken:
            taken.extend(journals(tmp_path))
            assert recover(tmp_path) == []
        return real(descriptor)

    monkeypatch.setattr(undo_journal, "try_lock", late)
    left_behind(path)
    (journal,) = journals(tmp_path)
    assert [journal] != taken
    with undo_journal.opened(journal) as (records, _):
        assert [record.name for record in records] == [path.name]


def test_a_journal_that_is_at_work_is_left_alone(tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", OLD[:708] + NEW[708:])
    left_behind(path)
    (journal,) = journals(tmp_path)
    with undo_journal.opened(journal):
        assert recover(tmp_path) == []
    assert journals(tmp_path) == [journal]


@pytest.mark.parametrize(
    "body",
    [
        b'{"version": 2}',
        b"[]",
        b"{}",
        b'{"version": 1, "files": [{"name": "../a.exe"}]}',
        (
            b'{"version": 1, "files": [{"name": "../a.exe", "size": 1, "modified_ns": 1, "content": {"algorithm": "sha256",'
            b' "ranges": [], "padding": 0, "digest": ""}, "old": [], "new_size": 1, "new": []}]}'
        ),
        (
            b'{"version": 1, "files": [{"name": "a.exe", "size": 1, "modified_ns": 1, "content": {"algorithm": "sha256",'
            b' "ranges": [], "padding": 10000000000000, "digest": ""}, "old": [], "new_size": 2, "new": []}]}'
        ),
        b"[" * 50_000,
    ],
)
def test_a_whole_journal_that_we_do_not_understand_stops_us(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / f"{undo_journal.PREFIX}0011"
    path.write_bytes(body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n")
    with pytest.raises(ForeignJournalError):
        recover(tmp_path)
    assert path.exists()


def test_a_journal_of_another_user_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.exe", OLD[:708] + NEW[708:])
    left_behind(path)

    @contextlib.contextmanager
    def of_another(journal: Path) -> Iterator[tuple[list[Entry], int | None]]:
        with undo_journal.opened(journal) as (records, owner):
            assert owner == os.geteuid()
            yield records, owner + 1

    monkeypatch.setattr(undo, "opened", of_another)
    with pytest.raises(ForeignJournalError, match="another user"):
        recover(tmp_path)
    assert path.read_bytes() == OLD[:708] + NEW[708:]


def test_what_is_no_file_is_no_journal_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{undo_journal.PREFIX}0011")
    with pytest.raises(ForeignJournalError, match="no regular file"):
        recover(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere", OLD[:708] + NEW[708:])
    place = tmp_path / "place"
    place.mkdir()
    left_behind(place / "a.exe")
    (place / "a.exe").symlink_to(elsewhere)
    with pytest.raises(Exception, match="cannot be opened for writing"):
        recover(place)
    assert elsewhere.read_bytes() == OLD[:708] + NEW[708:]


def test_a_write_that_fails_brings_the_file_back(tmp_path: Path) -> None:
    """`RLIMIT_FSIZE` stands in for a full disk: the file cannot grow."""
    resource = pytest.importorskip("resource")
    import signal

    path = put(tmp_path / "a.exe")
    big = Change(
        path=path,
        facts=facts_of(path.stat()),
        content=content(),
        writes=[(708, bytes(1 << 20))],
        size=708 + (1 << 20),
    )
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        failed = change_files([big])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [exc.code for exc in failed.values()] == ["file-unwritable"]
    assert path.read_bytes() == OLD
    assert journals(tmp_path) == []
