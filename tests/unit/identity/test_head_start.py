"""What was read ahead is never taken for another file, and nothing else is opened for it."""

from __future__ import annotations

import hashlib
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sealstead.identity import head_start
from sealstead.identity.digesting import LONG, Digested, facts_of
from sealstead.identity.file_digest import digest_file
from sealstead.identity.head_start import begin_early, digested_early

CONTENT = b"x" * LONG


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    with warnings.catch_warnings():
        # What runs the tests has threads; the command has none yet.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield
    for answers, process in head_start._started.values():
        os.close(answers)
        os.waitpid(process, 0)
    head_start._started.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


def early(path: Path) -> Digested | None:
    return digested_early(facts_of(path.stat()))


def test_a_head_start_gives_the_same(tmp_path: Path, path: Path) -> None:
    expected = digest_file(path)
    begin_early(["--force", "missing", "a\0b", str(tmp_path), str(path)])
    found = early(path)
    assert found is not None
    assert (found.digest, found.head, found.whole) == (expected.digest, expected.head, expected.whole)
    assert early(path) is None  # it is told once


def test_it_counts_under_another_name_of_the_file(tmp_path: Path, path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    begin_early([str(tmp_path / "link")])
    assert digest_file(path).digest == hashlib.blake2b(CONTENT).digest()
    assert head_start._started == {}


def test_what_is_short_or_no_regular_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")

    def opened(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(head_start.os, "open", opened)
    begin_early([str(tmp_path / "file"), str(tmp_path / "pipe"), "/dev/zero", str(tmp_path), ""])
    assert head_start._started == {}


def replaced(path: Path) -> None:
    times = path.stat()
    (path.parent / "other").write_bytes(b"y" * LONG)
    os.utime(path.parent / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (path.parent / "other").replace(path)


def changed(path: Path) -> None:
    times = path.stat()
    with path.open("r+b") as file:
        file.write(b"y")
    while (
        path.stat().st_ctime_ns == times.st_ctime_ns
    ):  # some systems count files' times in hundredths of a second
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut_off(path: Path) -> None:
    os.truncate(path, LONG - 1)


@pytest.mark.parametrize("change", [replaced, changed, cut_off])
def test_a_file_that_is_another_by_now_is_read_again(path: Path, change: Callable[[Path], None]) -> None:
    begin_early([str(path)])
    change(path)
    assert early(path) is None
    assert digest_file(path).digest == hashlib.blake2b(path.read_bytes()).digest()


def test_half_an_answer_is_none(path: Path) -> None:
    begin_early([str(path)])
    ((answers, _),) = head_start._started.values()
    os.read(answers, 1)
    assert early(path) is None


def test_a_process_that_dies_is_no_answer(path: Path) -> None:
    begin_early([str(path)])
    ((_, process),) = head_start._started.values()
    os.kill(process, 9)
    assert early(path) is None


def test_the_end_of_a_process_that_the_system_keeps_nothing_of_is_no_mistake(path: Path) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        begin_early([str(path)])
        ((_, process),) = head_start._started.values()
        assert early(path) is not None
        head_start._wait_for(process)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_nothing_is_begun_where_no_process_is_to_be_had(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise BlockingIOError

    opened: list[int] = []
    closed: list[int] = []
    real_open, real_pipe, real_close = os.open, os.pipe, os.close

    def noted_open(*given: Any) -> int:
        opened.append(real_open(*given))
        return opened[-1]

    def noted_pipe() -> tuple[int, int]:
        opened.extend(ends := real_pipe())
        return ends

    def noted_close(descriptor: int) -> None:
        closed.append(descriptor)
        real_close(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(head_start.os, "fork", none)
        patched.setattr(head_start.os, "open", noted_open)
        patched.setattr(head_start.os, "pipe", noted_pipe)
        patched.setattr(head_start.os, "close", noted_close)
        begin_early([str(path)])
    assert head_start._started == {}
    assert len(opened) == 3
    assert sorted(opened) == sorted(closed)
