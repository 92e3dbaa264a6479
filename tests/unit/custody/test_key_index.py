"""The index: written whole, read strictly, and never anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealstead.custody.key_dir import KeyDir
from sealstead.custody.key_index import (
    FILE_NAME,
    ForeignIndexError,
    IndexEntry,
    KeyState,
    load_index,
    record,
    upsert,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def entry(**more: object) -> IndexEntry:
    facts: dict[str, object] = {
        "identity": "work",
        "key_id": "AFC2A104E890CE1D",
        "public_key": "RWQ...",
        "created_at": AT,
        "stored": ("disk", "keyring"),
        "encrypted": False,
        "file": "minisign.work.key",
    }
    return IndexEntry(**(facts | more))  # type: ignore[arg-type]


@pytest.fixture
def directory(tmp_path: Path) -> KeyDir:
    directory = KeyDir(tmp_path / "keys")
    directory.make()
    return directory


def test_entries_come_back(directory: KeyDir) -> None:
    assert load_index(directory) == []
    full = entry(
        profile="/p.toml", retires_at=AT, archived_at=AT, revoked_at=AT, successor="x", created_at=None
    )
    record(directory, entry(identity="home"), full)
    assert load_index(directory) == [entry(identity="home"), full]
    assert (directory.path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_an_entry_replaces_the_one_of_the_same_key() -> None:
    one, other, new = entry(), entry(key_id="0" * 16), entry(encrypted=True)
    assert upsert([one, other], new) == [new, other]
    assert upsert([other], one) == [other, one]
    assert upsert([one], one) == [one]


def test_states_follow_from_moments_to_the_microsecond() -> None:
    before = AT - timedelta(microseconds=1)
    assert entry().state_at(AT) is KeyState.ACTIVE
    assert entry(archived_at=AT).state_at(AT) is KeyState.ARCHIVED
    assert entry(archived_at=before, retires_at=AT).state_at(before) is KeyState.RETIRING
    assert entry(archived_at=before, retires_at=AT).state_at(AT) is KeyState.ARCHIVED
    assert entry(revoked_at=AT).state_at(before) is KeyState.ACTIVE
    assert entry(revoked_at=AT, retires_at=AT + timedelta(days=1)).state_at(AT) is KeyState.REVOKED


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys": []}', '{"format": "sealstead-key-index", "version": 2, "keys": []}', "\xff",
     '{"format": "sealstead-key-index", "version": 1, "keys": [1]}',
     '{"format": "sealstead-key-index", "version": 1, "keys": [{"identity": "../x"}]}', "[" * 100_000],
)  # fmt: skip
def test_what_is_not_ours_is_left_alone(directory: KeyDir, text: str) -> None:
    path = directory.path / FILE_NAME
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(ForeignIndexError):
        load_index(directory)
    with pytest.raises(ForeignIndexError):
        record(directory, entry())
    assert path.read_text(encoding="latin-1") == text
