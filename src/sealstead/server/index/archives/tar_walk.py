"""The structure of a gzipped tar (POSIX pax and ustar, GNU long names), walked in bounded memory.

The standard library's reader takes whole extension headers into memory and repairs what it does not understand;
here every block is bounded and every doubt is an error. Rules:
  1. one gzip stream, nothing after it; no more bytes than `largest_expansion` allows;
  2. every header has its checksum and the ustar or GNU magic;
  3. only files and directories: no links, devices, FIFOs, sparse files (GNU type or pax keys), no unknown types;
  4. pax records may set the path and size of one member, never of all following ones; a member is named once: of two
     extension headers, or of a GNU header's prefix, readers take different parts (`tarfile` the first, we the last);
  5. paths are relative and stay below their directory, unique, in printable UTF-8;
  6. the archive ends with zero blocks and has only zeros after them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator

from sealstead.server.index.archives.members import (
    MAX_MEMBERS,
    MAX_TEXT_BYTES,
    check_path,
    invalid,
    largest_expansion,
)

BLOCK = 512
MAX_EXTENSION_BYTES = 64 * 1024
MAX_EXTENSIONS = 8
"""Extension headers before one member; build tools write one or two."""
_READ_BYTES = 256 * 1024
_FILE_TYPES = {b"0", b"\0"}
_DIRECTORY = b"5"
_PAX, _PAX_GLOBAL, _GNU_LONG_NAME = b"x", b"g", b"L"
_LINKS = {
    b"1": "hard link",
    b"2": "symbolic link",
    b"K": "link",
    b"3": "device",
    b"4": "device",
    b"6": "FIFO",
}


class _Inflated:
    """The unpacked bytes of a gzip file, in order."""

    def __init__(self, fd: int, archive_bytes: int) -> None:
        self._fd = fd
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._input = b""
        self._buffer = bytearray()
        self._left = largest_expansion(archive_bytes)

    def take(self, size: int) -> bytes:
        """Return exactly `size` bytes, or fewer at the end."""
        while len(self._buffer) < size and self._fill():
            pass
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def exactly(self, size: int) -> bytes:
        data = self.take(size)
        if len(data) != size:
            raise invalid("The tar is cut short")
        return data

    def skip(self, size: int) -> None:
        while size:
            piece = self.take(min(size, _READ_BYTES))
            if not piece:
                raise invalid("The tar is cut short")
            size -= len(piece)

    def _fill(self) -> bool:
        if self._inflater.eof:
            if self._inflater.unused_data or self._input or os.read(self._fd, 1):
                raise invalid("Data after the end of the gzip stream")
            return False
        if not self._input:
            self._input = os.read(self._fd, _READ_BYTES)
            if not self._input:
                raise invalid("The gzip stream is cut short")
        try:
            data = self._inflater.decompress(self._input, _READ_BYTES)
        except zlib.error:
            raise invalid("File is not a gzip file, or it is damaged") from None
        self._input = self._inflater.unconsumed_tail
        self._left -= len(data)
        if self._left < 0:
            raise invalid("The archive expands to too many bytes")
        self._buffer += data
        return True


def walk_tar_gz(
    fd: int, archive_bytes: int, keep: Callable[[str], bool]
) -> Iterator[tuple[str, bytes | None]]:
    """Yield each file's path, with its bytes where `keep(path)` says so; directories are checked and skipped.

    Raises:
        InvalidArchiveError: the archive breaks one of the rules above.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    stream = _Inflated(fd, archive_bytes)
    seen: set[str] = set()
    while (member := _next_member(stream)) is not None:
        path, size, kind = member
        _check_member(path, kind, size, seen)
        if kind == _DIRECTORY:
            continue
        content: bytes | None = None
        if keep(path):
            if size > MAX_TEXT_BYTES:
                raise invalid(f"Member {path!r} is too large")
            content = stream.exactly(size)
        else:
            stream.skip(size)
        stream.skip(-size % BLOCK)
        yield path, content


def _next_member(stream: _Inflated) -> tuple[str, int, bytes] | None:
    """Return path, size and type of the next member, its extension headers applied; None at the end."""
    long_path: str | None = None
    long_size: int | None = None
    extended = False
    for _ in range(MAX_EXTENSIONS):
        header = stream.exactly(BLOCK)
        if header == bytes(BLOCK):
            if extended:
                raise invalid("The tar is cut short")
            _check_end(stream)
            return None
        path, size, kind = _parse_header(header)
        if kind in {_GNU_LONG_NAME, _PAX}:
            if extended:
                raise invalid("A member has two extension headers")
            extended = True
        if kind == _GNU_LONG_NAME:
            long_path = _decode(_extension(stream, size).rstrip(b"\0"))
        elif kind == _PAX:
            records = _pax_records(_extension(stream, size))
            long_path = records.get("path")
            long_size = _pax_size(records)
        elif kind == _PAX_GLOBAL:
            if _pax_records(_extension(stream, size)).keys() & {"path", "size", "linkpath"}:
                raise invalid("A global header renames or resizes members")
        else:
            return path if long_path is None else long_path, size if long_size is None else long_size, kind
    raise invalid("Too many extension headers")


def _check_member(path: str, kind: bytes, size: int, seen: set[str]) -> None:
    if kind in _LINKS:
        raise invalid(f"Member {path!r} is a {_LINKS[kind]}")
    if kind == b"S":
        raise invalid(f"Member {path!r} is sparse")
    if kind != _DIRECTORY and kind not in _FILE_TYPES:
        raise invalid(f"Member {path!r} is neither file nor directory")
    if kind in _FILE_TYPES and path.endswith("/"):
        raise invalid(f"Member {path!r} is a file with the name of a directory")
    if kind == _DIRECTORY and size:
        raise invalid(f"Directory {path!r} holds data")
    check_path(path)
    plain = path.removesuffix("/")
    if plain in seen and kind != _DIRECTORY:
        raise invalid(f"Member {path!r} is there twice")
    seen.add(plain)
    if len(seen) > MAX_MEMBERS:
        raise invalid("Too many members")


def _parse_header(block: bytes) -> tuple[str, int, bytes]:
    checksum = sum(block[:148]) + 8 * 0x20 + sum(block[156:])
    if _octal(block[148:156]) != checksum:
        raise invalid("A tar header has a wrong checksum")
    magic = block[257:263]
    if magic not in {b"ustar\0", b"ustar "}:
        raise invalid("A tar header is of no known format")
    path = _decode(block[:100].rstrip(b"\0"))
    prefix = block[345:500].rstrip(b"\0")
    if prefix:
        if magic != b"ustar\0":
            # GNU keeps other things there, and `tarfile` reads them as a part of the path.
            raise invalid("A GNU tar header has a prefix")
        path = _decode(prefix) + "/" + path
    return path, _octal(block[124:136]), block[156:157]


def _octal(field: bytes) -> int:
    if field[0] & 0x80:
        # GNU's base-256 form, for sizes from 8 GiB on: above every limit.
        raise invalid("A member is too large")
    digits = field.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    if not all(0x30 <= digit <= 0x37 for digit in digits):  # noqa: PLR2004 - the digits 0 to 7
        raise invalid("A tar header has an invalid number")
    return int(digits, 8)


def _extension(stream: _Inflated, size: int) -> bytes:
    if size > MAX_EXTENSION_BYTES:
        raise invalid("An extension header is too large")
    data = stream.exactly(size)
    stream.skip(-size % BLOCK)
    return data


def _pax_records(data: bytes) -> dict[str, str]:
    """POSIX.1-2001, pax: length of the whole record, blank, key, equals sign, value, line feed."""
    records: dict[str, str] = {}
    while data:
        digits, space, _ = data.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > len(str(MAX_EXTENSION_BYTES)):
            raise invalid("Malformed pax header")
        length = int(digits)
        record, data = data[len(digits) + 1 : length], data[length:]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not record.endswith(b"\n") or not equals:
            raise invalid("Malformed pax header")
        name = _decode(key)
        if name in records:
            raise invalid("Malformed pax header")
        if name.startswith(("GNU.sparse", "SCHILY.realsize")):
            raise invalid("Sparse members are not allowed")
        # Other keys (times, owners, vendors' attributes) may hold any bytes and change nothing here.
        records[name] = _decode(value) if name in {"path", "size", "linkpath"} else ""
    return records


def _pax_size(records: dict[str, str]) -> int | None:
    if "size" not in records:
        return None
    text = records["size"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
        raise invalid("Malformed pax header")
    return int(text)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("Filename not valid UTF-8") from None


def _check_end(stream: _Inflated) -> None:
    while piece := stream.take(_READ_BYTES):
        if piece.strip(b"\0"):
            raise invalid("Data after the end of the tar")
