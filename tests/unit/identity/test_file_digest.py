"""Digests of long files, and that what was read ahead is never taken for another file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealstead.identity import file_digest
from sealstead.identity.file_digest import FileChangedError, FileError, begin_early, digest_file

LONG = file_digest._WORTH_IT


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)
    file_digest._early.clear()


@pytest.mark.parametrize("length", [0, 1, 65_536, 65_537, (1 << 20) - 1, 1 << 20, LONG, 2 * LONG + 1])
def test_the_digest_and_the_begin_of_a_file(tmp_path: Path, length: int) -> None:
    content = os.urandom(length)
    (tmp_path / "file").write_bytes(content)
    found = digest_file(tmp_path / "file")
    assert found.digest == hashlib.blake2b(content).digest()
    assert (found.head, found.whole) == (content[:65_536], length <= 65_536)


def test_a_head_start_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(LONG))
    expected = digest_file(path)
    begin_early(["--force", "missing", "a\0b", str(tmp_path), str(path)])
    assert list(file_digest._early) == [str(path)]
    found = digest_file(path)
    assert (found.digest, found.head, found.whole) == (expected.digest, expected.head, expected.whole)
    assert file_digest._early == {}


def test_short_files_get_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    begin_early([str(tmp_path / "file"), str(tmp_path / "pipe")])
    assert file_digest._early == {}


def test_a_file_replaced_after_the_head_start_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LONG))
    times = path.stat()
    begin_early([str(path)])
    file_digest._early[str(path)].result()
    (tmp_path / "other").write_bytes(b"x" * LONG)
    os.utime(tmp_path / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "other").replace(path)
    assert digest_file(path).digest == hashlib.blake2b(b"x" * LONG).digest()


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    real = hashlib.blake2b

    def grows() -> object:
        with path.open("ab") as file:
            file.write(b"y")
        return real()

    monkeypatch.setattr(file_digest.hashlib, "blake2b", grows)
    with pytest.raises(FileChangedError):
        digest_file(path)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileError):
            digest_file(path)


def test_a_long_file_that_cannot_be_read_to_its_end_is_told(tmp_path: Path) -> None:
    def breaks(view: memoryview) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(5, "Input/output error")
        return len(view)

    left = 2
    pieces = file_digest._pieces_ahead(breaks)
    assert [len(next(pieces)), len(next(pieces))] == [file_digest._LONG_CHUNK] * 2
    with pytest.raises(OSError, match="Input/output"):
        next(pieces)
