"""Crash-safe, private writes. These touch a temporary directory: that is what the module is about."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from sealstead.custody import files
from sealstead.custody.locks import LockBusyError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_secret_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o377)
    try:
        files.write_private(tmp_path / "key", b"secret", replace=False)
    finally:
        os.umask(before)
    assert mode(tmp_path / "key") == 0o600
    assert files.read_private(tmp_path / "key") == b"secret"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_what_exists_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    files.write_private(path, b"first", replace=False)
    with pytest.raises(files.FileExistsConflictError) as caught:
        files.write_private(path, b"second", replace=False)
    assert caught.value.code == "path-exists"
    assert path.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    files.write_private(path, b"third", replace=True)
    assert path.read_bytes() == b"third"


@pytest.mark.parametrize("replace", [True, False])
def test_a_symbolic_link_is_refused_and_not_followed(tmp_path: Path, *, replace: bool) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.UnsafeFileError) as caught:
        files.write_private(tmp_path / "key", b"secret", replace=replace)
    assert caught.value.code == "unsafe-file"
    with pytest.raises(files.UnsafeFileError):
        files.read_private(tmp_path / "key")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(bits)
    with pytest.raises(files.UnsafeFileError) as caught:
        files.read_private(path)
    assert caught.value.hint == f"run: chmod 600 {path}"


def test_a_missing_secret_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(files.MissingFileError):
        files.read_private(tmp_path / "none")
    (tmp_path / "directory").mkdir(0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("directory", "pipe"):
        with pytest.raises(files.UnsafeFileError, match="not a regular file"):
            files.read_private(tmp_path / name)


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    files.write_private(path, b"old", replace=False)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_private(path, b"new", replace=True)
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_content_is_on_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("sync " + Path(f"/proc/self/fd/{descriptor}").resolve().name.split(".")[0])
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    files.write_private(tmp_path / "key", b"x", replace=True)
    assert steps == ["sync ", "rename", f"sync {tmp_path.name}"]


def test_a_file_system_without_hard_links_does_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    files.write_private(tmp_path / "key", b"one", replace=False)
    with pytest.raises(files.FileExistsConflictError):
        files.write_private(tmp_path / "key", b"two", replace=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"key": b"one"}


UNFINISHED = ".out.sealstead.tmp"


def leave_nothing(path: Path, content: bytes, *, replace: bool = True) -> None:
    files.write_leaving_nothing(path, content, mode=0o644, replace=replace)


@pytest.mark.parametrize("replace", [True, False])
def test_what_a_killed_process_left_is_gone_with_the_next_write(tmp_path: Path, *, replace: bool) -> None:
    (tmp_path / UNFINISHED).write_bytes(b"half")
    (tmp_path / ".other.sealstead.tmp").write_bytes(b"of another file")
    leave_nothing(tmp_path / "out", b"whole", replace=replace)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.sealstead.tmp", "out"]
    assert (tmp_path / "out").read_bytes() == b"whole"
    assert mode(tmp_path / "out") == 0o644
    with pytest.raises(files.FileExistsConflictError):
        leave_nothing(tmp_path / "out", b"second", replace=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.sealstead.tmp", "out"]


def test_what_a_living_process_writes_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BUSY_SECONDS", 0.0)
    with (tmp_path / UNFINISHED).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockBusyError):
            leave_nothing(tmp_path / "out", b"mine")
        assert (tmp_path / UNFINISHED).exists()
        assert not (tmp_path / "out").exists()
    leave_nothing(tmp_path / "out", b"mine")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_many_writers_of_one_file_leave_one_of_them_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_BUSY_SECONDS", 60.0)  # each waits for the disk once, one after the other
    contents = [bytes([number]) * 5000 for number in range(8)]
    threads = [threading.Thread(target=leave_nothing, args=(tmp_path / "out", each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "out").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_in_the_way_of_the_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / UNFINISHED).symlink_to("theirs")
    with pytest.raises(files.UnsafeFileError):
        leave_nothing(tmp_path / "out", b"mine")
    (tmp_path / UNFINISHED).unlink()
    os.mkfifo(tmp_path / UNFINISHED)
    with pytest.raises(files.UnsafeFileError):
        leave_nothing(tmp_path / "out", b"mine")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert not (tmp_path / "out").exists()


def test_a_file_system_without_locks_still_takes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    (tmp_path / UNFINISHED).write_bytes(b"half")
    leave_nothing(tmp_path / "out", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
