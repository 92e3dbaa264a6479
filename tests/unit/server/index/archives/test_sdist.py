from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.version import Version
from tests.factories import sdist_members, tar_bytes

from sealstead.server.index.archives.sdist import check_sdist
from sealstead.server.index.archives.wheel import Expected
from sealstead.server.index.upload_errors import InvalidArchiveError

FILENAME = "example-1.0.tar.gz"
EXPECTED = Expected(filename=FILENAME, name="example", version=Version("1.0"))


def check(tmp_path: Path, members: Mapping[str, bytes], expected: Expected = EXPECTED) -> None:
    data = tar_bytes(members)
    path = tmp_path / FILENAME
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        check_sdist(fd, len(data), expected)
    finally:
        os.close(fd)


def test_a_good_sdist_passes(tmp_path: Path) -> None:
    check(tmp_path, sdist_members("example", "1.0"))


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"example-1.0/a.py": b""}, "PKG-INFO not found"),
        ({"example-1.0/sub/PKG-INFO": b"Name: example\nVersion: 1.0\n"}, "PKG-INFO not found"),
        ({"PKG-INFO": b"Name: example\nVersion: 1.0\n"}, "outside the top directory"),
        (sdist_members("example", "1.0") | {"other/x": b""}, "Multiple top-level directories"),
        ({"example-1.0/PKG-INFO": b"Name: other\nVersion: 1.0\n"}, "names the project 'other'"),
        ({"example-1.0/PKG-INFO": b"Name: example\nVersion: 2.0\n"}, "gives the version '2.0'"),
    ],
)
def test_others_are_refused(tmp_path: Path, members: dict[str, bytes], text: str) -> None:
    with pytest.raises(InvalidArchiveError) as refused:
        check(tmp_path, members)
    assert text in refused.value.message


def test_license_files_must_be_there(tmp_path: Path) -> None:
    expected = Expected(filename=FILENAME, name="example", version=Version("1.0"), license_files=("LICENSE",))
    check(tmp_path, sdist_members("example", "1.0") | {"example-1.0/LICENSE": b"MIT"}, expected)
    with pytest.raises(
        InvalidArchiveError, match=r"License-File LICENSE does not exist in distribution file"
    ):
        check(tmp_path, sdist_members("example", "1.0"), expected)
