from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from pathlib import Path

import pytest

from sealstead.server.index.blobs import LocalBlobs

DATA = b"content" * 1000
NAME = hashlib.blake2b(DATA, digest_size=32).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


def test_a_blob_lies_under_its_own_hash(blobs: LocalBlobs) -> None:
    with blobs.receive() as incoming:
        for start in range(0, len(DATA), 999):
            incoming.write(DATA[start : start + 999])
        digests = incoming.digests()
        assert blobs.store(incoming) == NAME
    assert blobs.path(NAME) == blobs.root / NAME[:2] / NAME[2:]
    with blobs.open(NAME) as stored:
        assert stored.read() == DATA
    assert digests.sha256 == hashlib.sha256(DATA).hexdigest()
    assert digests.md5 == hashlib.md5(DATA, usedforsecurity=False).hexdigest()
    assert digests.blake2b == NAME
    assert list(blobs.incoming.iterdir()) == []


def test_only_the_owner_reads(blobs: LocalBlobs) -> None:
    path = blobs.path(blobs.put(DATA))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for directory in (path.parent, path.parent.parent, blobs.incoming):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_same_content_twice_is_one_blob(blobs: LocalBlobs) -> None:
    assert blobs.put(DATA) == blobs.put(DATA) == NAME
    with blobs.open(NAME) as stored:
        assert stored.read() == DATA


def test_what_is_not_stored_is_gone(blobs: LocalBlobs) -> None:
    with blobs.receive() as incoming:
        incoming.write(DATA)
        assert incoming.path.exists()
    assert not incoming.path.exists()
    assert not blobs.path(NAME).exists()


def test_a_blob_and_the_directories_that_name_it_are_synced_before_it_counts(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    path = blobs.path(blobs.put(DATA))
    assert synced[0].startswith(str(blobs.incoming))
    assert {str(blobs.root), str(path.parent.parent), str(path.parent)} <= set(synced)
    assert synced[-1] == str(path.parent)


def test_writers_share_and_the_collector_waits(blobs: LocalBlobs) -> None:
    with blobs.writing(), blobs.writing():
        fd = os.open(blobs.root / "collect.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(fd)
    with blobs.collecting():
        fd = os.open(blobs.root / "collect.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(fd)
