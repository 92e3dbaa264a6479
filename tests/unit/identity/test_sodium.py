from __future__ import annotations

import hashlib

import pytest

from sealstead.identity import sodium
from sealstead.identity.sodium import SodiumDigest, sodium_digest


def test_it_digests_as_everybody_does() -> None:
    found = sodium_digest()
    if found is None:
        pytest.skip("no libsodium here")
    expected = hashlib.blake2b()
    room = bytearray(range(256)) * 1000
    for piece in (room, room[:1], room[:129], room[5:70_000]):
        found.update(memoryview(piece))
        expected.update(piece)
    assert found.digest() == expected.digest()


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sodium, "_NAMES", ("libc.so.6", "no-such-library.so"))
    assert sodium_digest() is None


def test_a_library_that_says_something_else_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SodiumDigest, "digest", lambda _: bytes(64))
    assert sodium_digest() is None
