"""The structure of a ZIP file (APPNOTE.TXT 6.3.10), read so strictly that every reader sees the same members.

Installers differ: some follow the central directory, some stream the local headers. An archive that shows
each of them something else gets past a check by one and is installed by the other. Hence:
  1. the end record is the last 22 bytes: no comment, nothing after it; one disk;
  2. the ZIP64 end record and its locator, if any, stand directly before it and agree with it;
  3. the central directory ends where the end record(s) begin, and holds exactly the announced entries;
  4. local entries begin at byte 0, in the order of their offsets, without gap, overlap or leftover, up to the
     central directory: no prefix, nothing hidden between members;
  5. local header and central entry agree on name, method, flags, checksum and sizes; data descriptors, encryption
     and methods but stored and deflate are refused (no build tool writes them);
  6. names are UTF-8 (flagged when not ASCII), printable, relative, unique; only files and directories.
Declared sizes are checked here, real ones by `inflate`, which `wheel.py` runs over every member.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sealstead.server.index.archives.members import (
    MAX_MEMBERS,
    check_path,
    invalid,
    largest_expansion,
)

_EOCD = struct.Struct("<4s4H2LH")
_EOCD64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075
_FLAG_UTF8 = 0x0800
_FLAGS_HARMLESS = 0x0006 | _FLAG_UTF8
"""Bits 1 and 2 tell how hard deflate tried."""
_FLAG_DESCRIPTOR = 0x0008
_METHODS = {0, 8}
_SYSTEM_UNIX = 3
_MAX_32 = 0xFFFFFFFF
_MAX_16 = 0xFFFF
MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
_READ_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    path: str
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    """Of the local header."""
    data_offset: int

    @property
    def is_directory(self) -> bool:
        return self.path.endswith("/")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    path: str


def read_framing(fd: int, archive_bytes: int) -> list[Member]:
    """Return the members in the order of the file.

    Raises:
        InvalidArchiveError: the ZIP breaks one of the rules above.
    """
    directory_offset, directory_bytes, count = _read_end(fd, archive_bytes)
    if count > MAX_MEMBERS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise invalid("Too many members")
    entries = list(_central_entries(_read_at(fd, directory_offset, directory_bytes), count))
    names = {entry.path.removesuffix("/") for entry in entries}
    if len(names) != len(entries):
        raise invalid("Duplicate filename in central directory")
    if sum(entry.size for entry in entries) > largest_expansion(archive_bytes):
        raise invalid("The archive expands to too many bytes")
    entries.sort(key=lambda entry: entry.offset)
    members = []
    position = 0
    for entry in entries:
        if entry.offset != position:
            raise invalid("Data before, between or inside members")
        member = _check_local(fd, entry, directory_offset)
        members.append(member)
        position = member.data_offset + member.compressed
    if position != directory_offset:
        raise invalid("Data between the members and the central directory")
    return members


def inflate(fd: int, member: Member) -> Iterator[bytes]:
    """Yield the member's bytes in pieces; the declared size and checksum have been checked at the end.

    Raises:
        InvalidArchiveError: it holds more, fewer or other bytes than declared.
    """
    crc = 0
    size = 0
    for piece in _pieces(fd, member):
        size += len(piece)
        if size > member.size:
            raise invalid(f"Member {member.path!r} is larger than declared")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.size or crc != member.crc:
        raise invalid(f"Member {member.path!r} is damaged")


def _pieces(fd: int, member: Member) -> Iterator[bytes]:
    left = member.compressed
    offset = member.data_offset
    if member.method == 0:
        while left:
            data = _read_at(fd, offset, min(left, _READ_BYTES))
            offset += len(data)
            left -= len(data)
            yield data
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while left:
            data = _read_at(fd, offset, min(left, _READ_BYTES))
            offset += len(data)
            left -= len(data)
            while data:
                yield inflater.decompress(data, _READ_BYTES)
                data = inflater.unconsumed_tail
            if inflater.eof:
                break
        # The last match may still wait for room when all input is used.
        while not inflater.eof and (piece := inflater.decompress(b"", _READ_BYTES)):
            yield piece
    except zlib.error:
        raise invalid(f"Member {member.path!r} is damaged") from None
    if left or inflater.unused_data or not inflater.eof:
        raise invalid(f"Member {member.path!r} does not fill its place")


def _read_at(fd: int, offset: int, size: int) -> bytes:
    data = os.pread(fd, size, offset)
    if len(data) != size:
        raise invalid("Malformed zip file")
    return data


def _read_end(fd: int, archive_bytes: int) -> tuple[int, int, int]:
    """Rules 1 to 3: where the central directory is, how long, and how many entries it has."""
    end = archive_bytes - _EOCD.size
    if end < 0:
        raise invalid("File is not a zip file")
    signature, disk, start_disk, here, count, size, offset, comment = _EOCD.unpack(
        _read_at(fd, end, _EOCD.size)
    )
    if signature != b"PK\x05\x06" or comment:
        raise invalid("File is not a zip file, or it has a comment or trailing data")
    if disk or start_disk or here != count:
        raise invalid("Mismatched central directory records")
    locator = end - _LOCATOR64.size
    if locator >= _EOCD64.size and os.pread(fd, 4, locator) == b"PK\x06\x07":
        end, size, offset, count = _read_end64(fd, locator, (count, size, offset))
    elif count == _MAX_16 or _MAX_32 in (size, offset):
        raise invalid("Mismatched central directory records")
    if offset + size != end:
        raise invalid("Mismatched central directory offset")
    return offset, size, count


def _read_end64(fd: int, locator: int, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    _, disk, end, disks = _LOCATOR64.unpack(_read_at(fd, locator, _LOCATOR64.size))
    if disk or disks != 1 or end != locator - _EOCD64.size:
        raise invalid("Mismatched ZIP64 end of central directory")
    signature, record_bytes, _, _, disk, start_disk, here, count, size, offset = _EOCD64.unpack(
        _read_at(fd, end, _EOCD64.size)
    )
    if signature != b"PK\x06\x06" or record_bytes != _EOCD64.size - 12:
        raise invalid("ZIP64 extensible data not allowed")
    if disk or start_disk or here != count:
        raise invalid("Mismatched central directory records")
    # APPNOTE 4.4.1.4: the short record repeats the value or holds the escape, nothing else.
    limits = (_MAX_16, _MAX_32, _MAX_32)
    for value, full, limit in zip(short, (count, size, offset), limits, strict=True):
        if value not in {full, limit}:
            raise invalid("Mismatched ZIP64 end of central directory")
    return end, size, offset, count


def _central_entries(directory: bytes, count: int) -> Iterator[_Entry]:
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            raise invalid("Mismatched central directory records")
        (
            signature, _, made_by, _, _, flags, method, _, _, crc, compressed, size,
            name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset,
        ) = _CENTRAL.unpack_from(directory, position)  # fmt: skip
        position += _CENTRAL.size
        name = directory[position : position + name_bytes]
        extra = directory[position + name_bytes : position + name_bytes + extra_bytes]
        position += name_bytes + extra_bytes
        if signature != b"PK\x01\x02" or position > len(directory):
            raise invalid("Mismatched central directory records")
        if comment_bytes:
            raise invalid("Comment in central directory")
        if disk:
            raise invalid("Mismatched central directory records")
        size, compressed, offset = _widen(extra, size, compressed, offset)
        path = _decode(name, flags)
        _check_kind(path, made_by, attributes)
        yield _Entry(
            raw_name=name, flags=flags, method=method, crc=crc, compressed=compressed, size=size,
            offset=offset, path=path,
        )  # fmt: skip
    if position != len(directory):
        raise invalid("Mismatched central directory size")


def _widen(extra: bytes, size: int, compressed: int, offset: int) -> tuple[int, int, int]:
    """Take the 64-bit values of the ZIP64 extra field for those that are escaped (APPNOTE 4.5.3)."""
    values = [size, compressed, offset]
    zip64 = _extras(extra).get(_ZIP64_EXTRA)
    if zip64 is None:
        if _MAX_32 in values:
            raise invalid("Malformed zip file")
        return size, compressed, offset
    position = 0
    for index, value in enumerate(values):
        if value == _MAX_32:
            if position + 8 > len(zip64):
                raise invalid("Malformed zip file")
            values[index] = int.from_bytes(zip64[position : position + 8], "little")
            position += 8
    return values[0], values[1], values[2]


def _extras(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise invalid("Malformed zip file")
        kind, length = struct.unpack_from("<HH", extra, position)
        if position + 4 + length > len(extra):
            raise invalid("Malformed zip file")
        if kind in fields and kind in {_ZIP64_EXTRA, _UNICODE_PATH_EXTRA}:
            raise invalid("Invalid duplicate extra field")
        fields[kind] = extra[position + 4 : position + 4 + length]
        position += 4 + length
    # Readers disagree on whether this name wins over the header's.
    if _UNICODE_PATH_EXTRA in fields:
        raise invalid("A member has a second name in an extra field")
    return fields


def _decode(name: bytes, flags: int) -> str:
    try:
        path = name.decode("utf-8" if flags & _FLAG_UTF8 else "ascii")
    except UnicodeDecodeError:
        raise invalid("Filename not valid UTF-8, or not marked as UTF-8") from None
    check_path(path)
    return path


def _check_kind(path: str, made_by: int, attributes: int) -> None:
    mode = attributes >> 16
    if made_by != _SYSTEM_UNIX and not stat.S_ISLNK(mode):
        return
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise invalid(f"Member {path!r} is a link or device")


def _check_local(fd: int, entry: _Entry, directory_offset: int) -> Member:
    """Rule 5."""
    header = _read_at(fd, entry.offset, _LOCAL.size)
    signature, _, _, flags, method, _, _, crc, compressed, size, name_bytes, extra_bytes = _LOCAL.unpack(
        header
    )
    if signature != b"PK\x03\x04":
        raise invalid("Missing local header")
    tail = _read_at(fd, entry.offset + _LOCAL.size, name_bytes + extra_bytes)
    if flags & _FLAG_DESCRIPTOR or entry.flags & _FLAG_DESCRIPTOR:
        raise invalid("ZIP contains a data descriptor")
    if flags & ~_FLAGS_HARMLESS or flags != entry.flags:
        raise invalid("Encrypted, patched or mismatched members")
    if method != entry.method or method not in _METHODS:
        raise invalid("Compression other than stored or deflated, or mismatched")
    if tail[:name_bytes] != entry.raw_name:
        raise invalid("Mis-matched filename in local header")
    size, compressed, _ = _widen(tail[name_bytes:], size, compressed, 0)
    if (crc, compressed, size) != (entry.crc, entry.compressed, entry.size):
        raise invalid("Mis-matched data size")
    if method == 0 and compressed != size:
        raise invalid("Mis-matched data size")
    if entry.path.endswith("/") and size:
        raise invalid(f"Directory {entry.path!r} holds data")
    data_offset = entry.offset + _LOCAL.size + name_bytes + extra_bytes
    if data_offset + compressed > directory_offset:
        raise invalid("Mis-matched data size")
    return Member(
        path=entry.path, method=method, crc=crc, compressed=compressed, size=size,
        offset=entry.offset, data_offset=data_offset,
    )  # fmt: skip
