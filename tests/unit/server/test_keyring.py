from __future__ import annotations

from pathlib import Path

import pytest

from sealstead.custody.files import FileExistsConflictError, MissingFileError, UnsafeFileError
from sealstead.custody.sealed import KeyRing, MalformedKeyRingError
from sealstead.server.keyring import load_ring, make_ring


def test_a_made_ring_is_the_owner_s_alone_and_never_made_twice(tmp_path: Path) -> None:
    make_ring(tmp_path)
    path = tmp_path / "keyring.json"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(FileExistsConflictError):
        make_ring(tmp_path)
    assert path.read_bytes() == before


def test_a_ring_elsewhere_counts_instead_of_the_one_here(tmp_path: Path) -> None:
    make_ring(tmp_path)
    other = KeyRing.generate()
    elsewhere = tmp_path / "other.json"
    elsewhere.write_text(other.dump())
    elsewhere.chmod(0o644)
    with pytest.raises(UnsafeFileError):
        load_ring(tmp_path, elsewhere, {})
    elsewhere.chmod(0o600)
    assert load_ring(tmp_path, elsewhere, {}).active == other.active
    elsewhere.unlink()
    with pytest.raises(MissingFileError):
        load_ring(tmp_path, elsewhere, {})


def test_the_environment_wins_and_its_text_is_in_no_message(tmp_path: Path) -> None:
    make_ring(tmp_path)
    other = KeyRing.generate()
    assert load_ring(tmp_path, None, {"SEALSTEAD_MASTER_KEYS": other.dump()}).active == other.active
    with pytest.raises(MalformedKeyRingError) as caught:
        load_ring(tmp_path, None, {"SEALSTEAD_MASTER_KEYS": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_key_added_on_disk_is_found_without_a_restart(tmp_path: Path) -> None:
    make_ring(tmp_path)
    ring = load_ring(tmp_path, None, {})
    path = tmp_path / "keyring.json"
    newer = KeyRing.generate()
    path.write_text(newer.dump())
    assert ring.open(newer.seal(b"x", context=()), context=()) == b"x"
