"""One holder at a time, also within a process, and none after its end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sealstead.custody.locks import LockBusyError, locked, locked_directory


def test_a_second_one_waits_and_then_gives_up(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock", seconds=1),
        pytest.raises(LockBusyError),
        locked(tmp_path / "lock", seconds=0),
    ):
        pass  # pragma: no cover
    with locked(tmp_path / "lock", seconds=0):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_second_one_goes_on_when_the_first_has_ended(tmp_path: Path) -> None:
    order = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with locked(tmp_path / "lock", seconds=60):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path / "lock", seconds=1):
        inside.set()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), locked(tmp_path / "lock", seconds=0):
        pass  # pragma: no cover
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_is_locked_without_a_file_in_it(tmp_path: Path) -> None:
    with (
        locked_directory(tmp_path, seconds=1),
        pytest.raises(LockBusyError),
        locked_directory(tmp_path, seconds=0.05),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
    with locked_directory(tmp_path, seconds=0):
        pass
