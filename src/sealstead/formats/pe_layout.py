"""Portable Executable files, as far as a signature goes ("PE Format", Microsoft; Authenticode specification of 2008).

A layout is read from the first bytes and the size; from it follows what is hashed. All that is hashed lies in one stream: everything but the checksum, the entry of the certificate table in the
directory, and the table itself, which is the end of the file.

Rules:
  * no offset of the file is believed before it was checked against its size;
  * nothing may follow the certificate table, and nothing in the file may lie over it: it would not be signed;
  * sections overlap neither each other nor the headers: readers differ over what such a file is.
"""

from __future__ import annotations

from sealstead.errors import InputError, ParseError
from sealstead.record import Record

MAX_HEADER_BYTES = 64 << 10
"""How much of the start of a file is looked at; real headers end far before."""
MAX_TABLE_BYTES = 64 << 20
"""Of certificates; a table is held in memory."""
ALIGNMENT = 8
MAX_FILE_BYTES = (1 << 32) - 1
"""Offsets have 32 bits."""

_DOS_HEADER = 0x40
_COFF_HEADER = 24
_SECTION = 40
_PE32, _PE32_PLUS = 0x10B, 0x20B
_CHECKSUM = 64
_DIRECTORY = {_PE32: 96, _PE32_PLUS: 112}
_SECURITY = 4
_OLD_MAGICS = (b"NE", b"LE", b"LX", b"W3", b"W4")


class NotPeError(ParseError):
    """No Portable Executable."""

    code = "not-pe"


class MalformedPeError(ParseError):
    """A Portable Executable whose parts cannot lie where it says."""

    code = "malformed-pe"


class UnsignedTailError(ParseError):
    """Data after the certificate table: no signature covers it."""

    code = "data-after-signature"


class PeTooLargeError(InputError):
    """A file in which a signature cannot be addressed."""

    code = "pe-too-large"


class PeLayout(Record):
    """Where things lie; each number was checked against `size`."""

    size: int
    machine: int
    plus: bool
    checksum_offset: int
    checksum: int
    security_offset: int
    table_offset: int
    """Where the certificate table is; 0 if there is none."""
    table_size: int

    @property
    def signed(self) -> bool:
        return self.table_size > 0

    @property
    def content_end(self) -> int:
        """Where that ends which is hashed."""
        return self.table_offset if self.signed else self.size

    @property
    def padding(self) -> int:
        """Zeros that are hashed after the content, and written before a table."""
        return -self.content_end % ALIGNMENT


def parse_layout(head: bytes, size: int) -> PeLayout:
    """Return the layout of a file of `size` bytes that starts with `head` (all of it, or `MAX_HEADER_BYTES`).

    Raises:
        NotPeError: something else, also a program for DOS or for 16-bit Windows.
        MalformedPeError, UnsignedTailError: its parts cannot lie where it says.
        PeTooLargeError: 4 GB or more.
    """
    if head[:2] != b"MZ" or len(head) < _DOS_HEADER:
        raise NotPeError("not a Windows program (no MZ header)")
    if size > MAX_FILE_BYTES:
        raise PeTooLargeError("the file has 4 GB or more, and its format knows no larger offsets")
    start = _u32(head, 0x3C)
    magic = head[start : start + 4] if start >= _DOS_HEADER else b""
    if magic[:2] in _OLD_MAGICS:
        raise NotPeError("a program for 16-bit Windows or OS/2, which knows no signatures")
    if magic != b"PE\0\0":
        raise NotPeError("a program for DOS, or not one for Windows (no PE header)")
    optional = start + _COFF_HEADER
    _need(head, optional + 2)
    machine, sections, optional_size = _u16(head, start + 4), _u16(head, start + 6), _u16(head, start + 20)
    kind = _u16(head, optional)
    if kind not in _DIRECTORY:
        raise MalformedPeError(f"a PE header of a kind that is not known (0x{kind:x})")
    directory = optional + _DIRECTORY[kind]
    security = directory + 8 * _SECURITY
    _need(head, security + 8)
    if _u32(head, directory - 4) <= _SECURITY or security + 8 > optional + optional_size:
        raise MalformedPeError("the header leaves no place for a signature")
    table_offset, table_size = _u32(head, security), _u32(head, security + 4)
    headers_end = optional + optional_size + sections * _SECTION
    _need(head, headers_end)
    contents_end = _check_sections(head, optional + optional_size, sections, headers_end, size)
    _check_table(table_offset, table_size, contents_end, size)
    return PeLayout(
        size=size,
        machine=machine,
        plus=kind == _PE32_PLUS,
        checksum_offset=optional + _CHECKSUM,
        checksum=_u32(head, optional + _CHECKSUM),
        security_offset=security,
        table_offset=table_offset,
        table_size=table_size,
    )


def digest_ranges(layout: PeLayout) -> tuple[tuple[int, int], ...]:
    """Return what is hashed, as (start, end); `layout.padding` zeros follow."""
    return (
        (0, layout.checksum_offset),
        (layout.checksum_offset + 4, layout.security_offset),
        (layout.security_offset + 8, layout.content_end),
    )


def _check_sections(head: bytes, at: int, count: int, headers_end: int, size: int) -> int:
    """Return where the last section ends in the file."""
    found = []
    for number in range(count):
        entry = at + number * _SECTION
        length, offset = _u32(head, entry + 16), _u32(head, entry + 20)
        if length and offset:
            found.append((offset, offset + length))
    end = headers_end
    for start, stop in sorted(found):
        if start < end:
            raise MalformedPeError("two sections of the file lie over each other, or over its headers")
        end = stop
    if end > size:
        raise MalformedPeError("the file is cut off: a section reaches beyond its end")
    return end


def _check_table(offset: int, length: int, contents_end: int, size: int) -> None:
    if not offset and not length:
        return
    if not length or offset < contents_end or offset % ALIGNMENT:
        raise MalformedPeError("the certificate table cannot lie where the header says")
    if offset + length > size:
        raise MalformedPeError("the file is cut off: its certificate table reaches beyond its end")
    if offset + length < size:
        raise UnsignedTailError("data follows the certificate table, which no signature can cover")
    if length > MAX_TABLE_BYTES:
        raise MalformedPeError("the certificate table is larger than any")


def _need(head: bytes, end: int) -> None:
    if end > len(head):
        raise MalformedPeError("the headers are cut off, or lie too far into the file")


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
