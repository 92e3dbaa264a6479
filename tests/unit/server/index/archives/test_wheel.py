from __future__ import annotations

import os
from collections.abc import Mapping
from email.parser import BytesParser
from pathlib import Path

import pytest
from packaging.version import Version
from tests.factories import record_line, wheel_members, zip_bytes

from sealstead.server.index.archives.wheel import Expected, WheelFacts, check_wheel
from sealstead.server.index.archives.zip_framing import read_framing
from sealstead.server.index.upload_errors import InvalidArchiveError

FILENAME = "example-1.0-py3-none-any.whl"
INFO = "example-1.0.dist-info"
EXPECTED = Expected(filename=FILENAME, name="example", version=Version("1.0"))


def members(**changes: bytes | None) -> dict[str, bytes]:
    """A good wheel; `changes` by the last part of the path replace or drop members and keep RECORD right."""
    files = wheel_members("example", "1.0")
    for name, data in changes.items():
        path = f"{INFO}/{name}"
        if data is None:
            files.pop(path)
        else:
            files[path] = data
    if "RECORD" not in changes:
        files.pop(f"{INFO}/RECORD")
        record = "".join(record_line(path, data) + "\n" for path, data in files.items())
        files[f"{INFO}/RECORD"] = (record + f"{INFO}/RECORD,,\n").encode()
    return files


def check(tmp_path: Path, files: Mapping[str, bytes], expected: Expected = EXPECTED) -> WheelFacts:
    data = zip_bytes(files)
    path = tmp_path / expected.filename
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        return check_wheel(fd, read_framing(fd, len(data)), expected)
    finally:
        os.close(fd)


def test_no_header_hides_behind_a_carriage_return(tmp_path: Path) -> None:
    """To `email.parser`, and so to installers, this is the metadata of another project."""
    metadata = b"Metadata-Version: 2.3\nSummary: x\rName: other\nName: example\nVersion: 1.0\n"
    assert BytesParser().parsebytes(metadata)["Name"] == "other"
    with pytest.raises(InvalidArchiveError, match="carriage return"):
        check(tmp_path, members(METADATA=metadata))


def test_a_good_wheel_gives_its_metadata(tmp_path: Path) -> None:
    facts = check(tmp_path, members())
    assert facts.metadata.startswith(b"Metadata-Version: 2.3\nName: example\nVersion: 1.0\n")
    assert facts.record_problem == ""


@pytest.mark.parametrize("kind", ["METADATA", "RECORD", "WHEEL"])
def test_the_required_files_are_required(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidArchiveError) as refused:
        check(tmp_path, members(**{kind: None}))
    assert refused.value.message == (
        f"Wheel '{FILENAME}' does not contain the required {kind} file: {INFO}/{kind}."
    )


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        (b"Name: other\nVersion: 1.0\n\n", "names the project 'other', not 'example'"),
        (b"Name: example\nVersion: 2.0\n\n", "gives the version '2.0', not '1.0'"),
        (b"Name: example\nVersion: one\n\n", "gives the version 'one'"),
        (b"Name: example\n\nVersion: 1.0\n", "does not give 'version' once"),
        (b"Name: example\nName: other\nVersion: 1.0\n\n", "does not give 'name' once"),
        (b"Version: 1.0\n\nName: example\n", "does not give 'name' once"),
        (b"Name: \xff\nVersion: 1.0\n\n", "names the project"),
        (b"", "does not give 'name' once"),
    ],
)
def test_metadata_must_be_that_of_the_upload(tmp_path: Path, metadata: bytes, text: str) -> None:
    with pytest.raises(InvalidArchiveError) as refused:
        check(tmp_path, members(METADATA=metadata))
    assert text in refused.value.message


@pytest.mark.parametrize(
    "metadata", [b"name: Example\r\nVERSION:1.0.0\r\n\r\nbody", b"Name: EXAMPLE\nVersion: 1.0"]
)
def test_headers_are_read_as_headers(tmp_path: Path, metadata: bytes) -> None:
    assert check(tmp_path, members(METADATA=metadata)).metadata == metadata


def test_one_dist_info_only(tmp_path: Path) -> None:
    files = members() | {"other-1.0.dist-info/METADATA": b"Name: other\nVersion: 1.0\n"}
    with pytest.raises(InvalidArchiveError, match=r"more than one \.dist-info"):
        check(tmp_path, files)


@pytest.mark.parametrize("wheel", [b"", b"Wheel-Version: 2.0\n", b"Generator: x\n"])
def test_the_wheel_file_must_be_of_version_1(tmp_path: Path, wheel: bytes) -> None:
    with pytest.raises(InvalidArchiveError, match=r"Wheel-Version 1\.x"):
        check(tmp_path, members(WHEEL=wheel))


def test_license_files_must_be_there(tmp_path: Path) -> None:
    expected = Expected(
        filename=FILENAME, name="example", version=Version("1.0"), license_files=("LICENSE", "a/NOTICE")
    )
    good = members(**{"licenses/LICENSE": b"MIT", "licenses/a/NOTICE": b"N"})
    check(tmp_path, good, expected)
    with pytest.raises(InvalidArchiveError) as refused:
        check(tmp_path, members(**{"licenses/LICENSE": b"MIT"}), expected)
    assert refused.value.message == (
        f"License-File a/NOTICE does not exist in distribution file {FILENAME} at {INFO}/licenses/a/NOTICE."
    )


@pytest.mark.parametrize(
    "text",
    [
        b"no section\n",
        b"[console_scripts]\nx = \n",
        b"[console_scripts]\nx = a b c\n",
        b"[console_scripts]\nx = m:f\nx = m:g\n",
        b"\xff\xfe",
    ],
)
def test_entry_points_must_be_valid(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(InvalidArchiveError, match=r"entry_points\.txt"):
        check(tmp_path, members(**{"entry_points.txt": text}))


def test_good_entry_points_pass(tmp_path: Path) -> None:
    check(tmp_path, members(**{"entry_points.txt": b"[console_scripts]\nX: y = pkg.mod:f.g [extra]\nz=m\n"}))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("example/__init__.py,", "example/other.py,", "which is not in the wheel"),
        (
            "example/__init__.py,sha256=",
            "example/__init__.py,sha256=x",
            "another hash for 'example/__init__.py'",
        ),
        ("example/__init__.py,sha256=", "example/__init__.py,md5=", "no strong hash"),
        (",12\n", ",13\n", "another size"),
        (f"{INFO}/WHEEL,", f"{INFO}/METADATA,", "listed before"),
    ],
)
def test_a_record_that_differs_is_told(tmp_path: Path, old: str, new: str, problem: str) -> None:
    files = members()
    record = files[f"{INFO}/RECORD"].decode()
    assert old in record
    files[f"{INFO}/RECORD"] = record.replace(old, new, 1).encode()
    assert problem in check(tmp_path, files).record_problem


def test_a_member_outside_record_is_told(tmp_path: Path) -> None:
    assert check(tmp_path, members() | {"example/x.py": b""}).record_problem == (
        "RECORD does not list example/x.py"
    )


def test_a_record_that_is_no_table_is_told(tmp_path: Path) -> None:
    assert check(tmp_path, members(RECORD=b'"unclosed')).record_problem == "RECORD cannot be parsed"
