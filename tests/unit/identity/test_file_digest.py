"""Digests of files by their path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sealstead.identity import file_digest
from sealstead.identity.digesting import Digested
from sealstead.identity.file_digest import FileChangedError, FileError, digest_file


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    found = digest_file(tmp_path / "file")
    assert (found.digest, found.head, found.whole) == (hashlib.blake2b(b"abc").digest(), b"abc", True)


def test_what_was_read_ahead_does_not_count_when_the_file_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"abc")

    def waits(facts: tuple[int, ...]) -> Digested:
        (tmp_path / "file").write_bytes(b"abcd")
        return Digested(b"old", b"abc", facts, whole=True)

    monkeypatch.setattr(file_digest, "digested_early", waits)
    assert digest_file(tmp_path / "file").digest == hashlib.blake2b(b"abcd").digest()


def test_a_file_that_changes_while_it_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setattr(file_digest, "digest_open", lambda _: None)
    with pytest.raises(FileChangedError):
        digest_file(tmp_path / "file")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileError):
            digest_file(path)
