"""Archives that show different readers different members, and archives that unpack without end."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories import zip_bytes

from sealstead.server.index.archives.zip_framing import inflate, read_framing
from sealstead.server.index.upload_errors import InvalidArchiveError

MEMBERS = {"a.txt": b"first" * 100, "b/c.txt": b"second" * 100}


def check(tmp_path: Path, data: bytes) -> list[str]:
    """Read the framing and every member; return the paths."""
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        members = read_framing(fd, len(data))
        for member in members:
            for _ in inflate(fd, member):
                pass
    finally:
        os.close(fd)
    return [member.path for member in members]


def written(fill: Callable[[zipfile.ZipFile], None]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return buffer.getvalue()


def patched(data: bytes, *changes: tuple[int, bytes]) -> bytes:
    copy = bytearray(data)
    for offset, new in changes:
        copy[offset : offset + len(new)] = new
    return bytes(copy)


def central(data: bytes, number: int = 0) -> int:
    """Offset of a central directory entry."""
    offset = struct.unpack_from("<L", data, len(data) - 6)[0]
    for _ in range(number):
        offset += 46 + sum(struct.unpack_from("<3H", data, offset + 28))
    return offset


def end_record(data: bytes, **changes: int) -> bytes:
    fields = dict(
        zip(("disk", "start", "here", "count", "size", "offset", "comment"), struct.unpack("<4H2LH", data[-18:]), strict=True)
    )  # fmt: skip
    return data[:-18] + struct.pack("<4H2LH", *(fields | changes).values())


def shifted(prefix: bytes, data: bytes) -> bytes:
    """A prefix with all offsets corrected: what a self-extracting archive is."""
    moved = bytearray(data)
    for number in range(len(MEMBERS)):
        at = central(data, number) + 42
        moved[at : at + 4] = struct.pack("<L", struct.unpack_from("<L", data, at)[0] + len(prefix))
    fields = struct.unpack("<L", data[-6:-2])
    return prefix + end_record(bytes(moved), offset=fields[0] + len(prefix))


GOOD = zip_bytes(MEMBERS)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_ordinary_archive_passes(tmp_path: Path, compression: int) -> None:
    assert check(tmp_path, zip_bytes(MEMBERS, compression=compression)) == list(MEMBERS)


def test_directories_utf8_and_zip64_pass(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr("päckchen/", b"")
        with archive.open("päckchen/ü.txt", "w", force_zip64=True) as member:
            member.write(b"x" * 100_000)

    assert check(tmp_path, written(fill)) == ["päckchen/", "päckchen/ü.txt"]


def test_an_empty_archive_has_no_members(tmp_path: Path) -> None:
    assert check(tmp_path, zip_bytes({})) == []


def test_output_that_ends_at_the_read_size_is_whole(tmp_path: Path) -> None:
    # The last piece of output may still be inside the inflater when all input is used.
    for size in (256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024):
        assert check(tmp_path, zip_bytes({"z": bytes(size)})) == ["z"]


def _two_ends() -> bytes:
    # Readers that look for the last or for the first end record see different archives.
    return GOOD + zip_bytes({"evil.txt": b"x"})


def _duplicate() -> bytes:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr("a.txt", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", b"two")

    return written(fill)


def _file_and_directory() -> bytes:
    return zip_bytes({"a": b"x", "a/": b""})


def _hidden_member() -> bytes:
    # A local header that the central directory leaves out: streaming readers would install it.
    data = zip_bytes({"hidden.txt": b"h", **MEMBERS})
    first = 46 + len("hidden.txt")
    start = central(data)
    cut = data[:start] + data[start + first :]
    count, size, offset = struct.unpack("<H2L", cut[-12:-2])
    return end_record(cut, here=count - 1, count=count - 1, size=size - first, offset=offset)


def _streamed() -> bytes:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[arg-type]
        archive.writestr("a.txt", b"x")
    return bytes(pipe.data)


def _with_extra(kind: int, value: bytes, *, twice: bool = False) -> bytes:
    info = zipfile.ZipInfo("a.txt")
    info.extra = struct.pack("<HH", kind, len(value)) + value
    if twice:
        info.extra *= 2
    return written(lambda archive: archive.writestr(info, b"x"))


def _symlink(mode: int = stat.S_IFLNK | 0o777) -> bytes:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = mode << 16
    return written(lambda archive: archive.writestr(info, b"/etc/passwd"))


def _named(name: str) -> bytes:
    # zipfile mends some names itself: write a harmless one of the same length and patch it.
    plain = "n" * len(name.encode())
    return zip_bytes({plain: b"x"}).replace(plain.encode(), name.encode())


def _lying_size(actual: bytes, declared: int) -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(actual) + packed.flush()
    name, crc = b"a.txt", zlib.crc32(actual[:declared])
    common = struct.pack("<4H3L2H", 0, 8, 0, 33, crc, len(body), declared, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<H", 20) + common + name + body
    directory = (
        b"PK\x01\x02" + struct.pack("<2H", 20, 20) + common + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    )
    return (
        local + directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(directory), len(local), 0)
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a zip at all, but long enough to be one", id="not-zip"),
        pytest.param(GOOD[:-1], id="cut"),
        pytest.param(GOOD + b"x", id="trailing-byte"),
        pytest.param(_two_ends(), id="two-end-records"),
        pytest.param(b"#!/bin/sh\n" + GOOD, id="prefix"),
        pytest.param(shifted(b"#!/bin/sh\n", GOOD), id="prefix-with-corrected-offsets"),
        pytest.param(end_record(GOOD, comment=2) + b"hi", id="archive-comment"),
        pytest.param(end_record(GOOD, count=1, here=1), id="count-too-small"),
        pytest.param(end_record(GOOD, count=3, here=3), id="count-too-large"),
        pytest.param(end_record(GOOD, here=1), id="two-disks"),
        pytest.param(end_record(GOOD, disk=1), id="second-disk"),
        pytest.param(end_record(GOOD, count=0xFFFF, here=0xFFFF), id="zip64-escape-without-zip64"),
        pytest.param(patched(GOOD, (14, b"\0\0\0\0")), id="local-checksum"),
        pytest.param(patched(GOOD, (18, b"\1\0\0\0")), id="local-size"),
        pytest.param(patched(GOOD, (22, b"\1\0\0\0")), id="local-unpacked-size"),
        pytest.param(patched(GOOD, (30, b"x")), id="local-name"),
        pytest.param(patched(GOOD, (8, b"\0\0")), id="local-method"),
        pytest.param(patched(GOOD, (0, b"PK\x05\x06")), id="local-signature"),
        pytest.param(patched(GOOD, (central(GOOD), b"XX")), id="central-signature"),
        pytest.param(patched(GOOD, (central(GOOD) + 42, b"\1\0\0\0")), id="offset-into-the-middle"),
        pytest.param(patched(GOOD, (central(GOOD, 1) + 42, b"\0\0\0\0")), id="two-entries-one-member"),
        pytest.param(patched(GOOD, (6, b"\1\0"), (central(GOOD) + 8, b"\1\0")), id="encrypted"),
        pytest.param(patched(GOOD, (8, b"\x0c\0"), (central(GOOD) + 10, b"\x0c\0")), id="bzip2"),
        pytest.param(patched(GOOD, (40, b"\xff\xff\xff")), id="damaged-data"),
        pytest.param(_duplicate(), id="duplicate"),
        pytest.param(_file_and_directory(), id="file-and-directory"),
        pytest.param(_hidden_member(), id="member-outside-the-directory"),
        pytest.param(_streamed(), id="data-descriptor"),
        pytest.param(_with_extra(0x7075, b"\1\0\0\0\0evil.txt"), id="second-name"),
        pytest.param(_with_extra(0x0001, b"", twice=True), id="duplicate-zip64-extra"),
        pytest.param(_symlink(), id="symlink"),
        pytest.param(_symlink(stat.S_IFIFO | 0o666), id="fifo"),
        pytest.param(_named("../evil.py"), id="dot-dot"),
        pytest.param(_named("a/../../b"), id="dot-dot-inside"),
        pytest.param(_named("/etc/passwd"), id="absolute"),
        pytest.param(_named("C:/evil.py"), id="drive"),
        pytest.param(_named("a\\b.py"), id="backslash"),
        pytest.param(_named("./a.py"), id="dot"),
        pytest.param(_named("a//b.py"), id="empty-part"),
        pytest.param(_named("a\x1bb.py"), id="escape"),
        pytest.param(_named("a\x00b.py"), id="nul"),
        pytest.param(_named("ä.py"), id="utf8-without-the-flag"),
        pytest.param(_lying_size(b"x" * 1000, 10), id="larger-than-declared"),
        pytest.param(_lying_size(b"x" * 10, 1000), id="smaller-than-declared"),
        pytest.param(zip_bytes({"bomb": bytes(100 * 1024 * 1024)}), id="bomb"),
        pytest.param(_lying_size(bytes(200 * 1024 * 1024), 1000), id="bomb-that-lies"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidArchiveError, match=r"^Invalid distribution file\. .*\.$") as refused:
        check(tmp_path, data)
    assert refused.value.code == "invalid-archive"


def test_a_streamed_archive_is_told_why(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchiveError, match="data descriptor"):
        check(tmp_path, _streamed())


def test_many_small_bytes_are_no_bomb(tmp_path: Path) -> None:
    # Ratio far above 50, but below the size that matters.
    assert check(tmp_path, zip_bytes({"zeros": bytes(10 * 1024 * 1024)})) == ["zeros"]
