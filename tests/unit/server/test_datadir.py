from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealstead.custody.files import UnsafeFileError
from sealstead.server import datadir


def test_a_new_directory_is_its_owner_s_alone(tmp_path: Path) -> None:
    made = datadir.make_data_dir(tmp_path / "new" / "data")
    for path in (made, *(made / name for name in datadir.SUBDIRECTORIES)):
        assert path.stat().st_mode & 0o777 == 0o700, path


@pytest.mark.parametrize("bits", [0o755, 0o750, 0o701, 0o740])
def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(bits)
    with pytest.raises(UnsafeFileError) as caught:
        datadir.make_data_dir(path)
    assert caught.value.code == "unsafe-file"
    assert caught.value.hint == f"run: chmod 700 {path}"
    assert list(path.iterdir()) == []


def test_what_is_no_directory_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(datadir.NoDataDirError) as missing:
        datadir.check_data_dir(tmp_path / "none")
    assert missing.value.code == "no-data-dir"
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch(0o600)
    with pytest.raises(datadir.UnusableDataDirError) as caught:
        datadir.make_data_dir(tmp_path / "file")
    assert caught.value.code == "unusable-data-dir"
    with pytest.raises(datadir.UnusableDataDirError):
        datadir.make_data_dir(tmp_path / "file" / "data")


def test_a_link_leads_to_the_real_directory_whose_owner_and_mode_count(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert datadir.make_data_dir(tmp_path / "link") == tmp_path / "real"
    (tmp_path / "real").chmod(0o755)
    with pytest.raises(UnsafeFileError):
        datadir.make_data_dir(tmp_path / "link")


def test_one_server_a_directory(tmp_path: Path) -> None:
    held = datadir.claim_server(tmp_path)
    with pytest.raises(datadir.AlreadyRunningError) as caught:
        datadir.claim_server(tmp_path)
    assert caught.value.code == "already-running"
    os.close(held)
    os.close(datadir.claim_server(tmp_path))


def test_what_a_killed_start_left_is_swept(tmp_path: Path) -> None:
    data = datadir.make_data_dir(tmp_path / "data")
    (data / ".keyring.json.0123456789ab.tmp").touch(0o600)
    (data / "keyring.json").touch(0o600)
    datadir.make_data_dir(data)
    assert not list(data.glob(".keyring*"))
    assert (data / "keyring.json").exists()
