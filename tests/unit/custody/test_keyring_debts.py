"""What the keyring is owed survives; a damaged note of it harms nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealstead.custody.key_dir import DEBTS_FILE, KeyDir
from sealstead.custody.keyring_debts import Debt, load_debts, save_debts


@pytest.fixture
def keys(tmp_path: Path) -> KeyDir:
    directory = KeyDir(tmp_path / "keys")
    directory.make()
    return directory


def test_debts_come_back_until_they_are_settled(keys: KeyDir) -> None:
    debts = {"work": Debt(identity="work", before=("a", "b"), after="c")}
    assert load_debts(keys) == {}
    save_debts(keys, debts)
    assert load_debts(keys) == debts
    save_debts(keys, {})
    assert list(keys.path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"entries": {"a": 1}}', b"[" * 100_000])
def test_a_damaged_note_counts_as_none(keys: KeyDir, content: bytes) -> None:
    (keys.path / DEBTS_FILE).write_bytes(content)
    assert load_debts(keys) == {}


def test_a_torn_note_of_a_process_that_died_is_written_over(keys: KeyDir) -> None:
    (keys.path / f"{DEBTS_FILE}.staged").write_bytes(b'{"ent')
    save_debts(keys, {"work": Debt(identity="work", before=(), after="c")})
    assert load_debts(keys)["work"].after == "c"
    assert [path.name for path in keys.path.iterdir()] == [DEBTS_FILE]
