"""The digest of an open file, read ahead where it is long."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sealstead.identity import digesting
from sealstead.identity.digesting import LONG, digest_open


@pytest.mark.parametrize("length", [0, 1, 65_536, 65_537, (1 << 20) - 1, 1 << 20, LONG, 2 * LONG + 1])
def test_the_digest_and_the_begin_of_a_file(tmp_path: Path, length: int) -> None:
    content = os.urandom(length)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        found = digest_open(file.fileno())
    assert found is not None
    assert found.digest == hashlib.blake2b(content).digest()
    assert (found.head, found.whole) == (content[:65_536], length <= 65_536)


@pytest.mark.parametrize("length", [1, LONG])
def test_a_file_that_grows_while_it_is_read_has_none(tmp_path: Path, length: int) -> None:
    (tmp_path / "file").write_bytes(bytes(length))
    once = iter([b"y"])

    def grow() -> None:
        with (tmp_path / "file").open("ab") as more:
            more.write(next(once, b""))

    with (tmp_path / "file").open("rb") as file:
        assert digest_open(file.fileno(), grow) is None


def test_a_long_file_that_cannot_be_read_to_its_end_is_told() -> None:
    def breaks(view: memoryview) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(5, "Input/output error")
        return len(view)

    left = 2
    pieces = digesting._pieces_ahead(breaks)
    assert [len(next(pieces)), len(next(pieces))] == [digesting._CHUNK] * 2
    with pytest.raises(OSError, match="Input/output"):
        next(pieces)


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="needs a system that says where a thread may run"
)
def test_only_the_reader_is_bound_and_to_all_processors_but_one(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    bound: list[set[int]] = []

    def read(view: memoryview) -> int:
        bound.append(os.sched_getaffinity(0))
        return 0

    assert list(digesting._pieces_ahead(read)) == []
    assert os.sched_getaffinity(0) == allowed
    assert bound[0] <= allowed
    assert len(bound[0]) == max(1, len(allowed) - 1)
