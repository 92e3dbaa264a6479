"""Signatures in Portable Executable files: read the certificate table, and plan what has to be written where.

Where things lie is for `pe_layout`, what is hashed for `pe_digest`; their names are here too.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from sealstead.formats.ber import first_definite, is_indefinite
from sealstead.formats.der import read_tlv
from sealstead.formats.pe_digest import FileShrankError, SeekableBytes, hash_pe, pe_checksum
from sealstead.formats.pe_layout import (
    ALIGNMENT,
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    MalformedPeError,
    NotPeError,
    PeLayout,
    PeTooLargeError,
    UnsignedTailError,
    digest_ranges,
    parse_layout,
)

__all__ = [
    "MAX_HEADER_BYTES",
    "CertificateEntry",
    "FileShrankError",
    "MalformedPeError",
    "NotPeError",
    "PeLayout",
    "PeTooLargeError",
    "SeekableBytes",
    "SignaturePlan",
    "UnsignedTailError",
    "digest_ranges",
    "hash_pe",
    "parse_layout",
    "parse_table",
    "pe_checksum",
    "plan_signature",
    "signature_in",
]

_CERTIFICATE = struct.Struct("<IHH")
_REVISION, _PKCS_SIGNED_DATA = 0x0200, 0x0002
_MOST_ENTRIES = 64


class CertificateEntry(NamedTuple):
    revision: int
    kind: int
    data: bytes
    """Padding included, where the signer counted it in."""

    @property
    def is_signature(self) -> bool:
        return (self.revision, self.kind) == (_REVISION, _PKCS_SIGNED_DATA)


class SignaturePlan(NamedTuple):
    """What to write, in this order, into a file of `final_size` bytes: cut it off or let it grow to that first.

    A file in which only a part was written looks unsigned, or as before; it is never half believed.
    """

    writes: tuple[tuple[int, bytes], ...]
    final_size: int
    checksum_offset: int
    """Where four bytes follow, if `PeLayout.checksum` was not 0."""


def parse_table(table: bytes) -> tuple[CertificateEntry, ...]:
    """Return what the certificate table holds (the bytes from `table_offset`, `table_size` of them).

    Raises:
        MalformedPeError: an entry is cut off, or there are too many.
        UnsignedTailError: something else than zeros stands between two.
    """
    entries: list[CertificateEntry] = []
    at = 0
    while at < len(table):
        if len(table) - at < _CERTIFICATE.size:
            raise MalformedPeError("the certificate table is cut off")
        length, revision, kind = _CERTIFICATE.unpack_from(table, at)
        if not _CERTIFICATE.size < length <= len(table) - at or len(entries) == _MOST_ENTRIES:
            raise MalformedPeError("the certificate table cannot be read")
        entries.append(CertificateEntry(revision, kind, table[at + _CERTIFICATE.size : at + length]))
        if any(table[at + length : at + length + -length % ALIGNMENT]):
            raise UnsignedTailError("an entry of the certificate table is followed by more than padding")
        at += length + -length % ALIGNMENT
    return tuple(entries)


def signature_in(table: bytes) -> bytes | None:
    """Return the one signature of a table, in DER without its padding.

    Raises:
        MalformedPeError: the table cannot be read, or holds several: signatures are nested, not queued; or something else
            than a signature of the one known revision, for which nothing vouches.
        UnsignedTailError: the signature is followed by more than padding; nothing vouches for that.
    """
    found = parse_table(table)
    if not found:
        return None
    if not all(entry.is_signature for entry in found):
        raise MalformedPeError(
            "the certificate table holds something else than a signature as Windows knows it"
        )
    if len(found) > 1:
        raise MalformedPeError("the certificate table holds several signatures")
    data = found[0].data
    length = first_definite(data)[1] if is_indefinite(data) else read_tlv(data).end
    if any(data[length:]) or len(data) - length >= ALIGNMENT:
        raise UnsignedTailError("the signature is followed by data that nothing vouches for")
    return data[:length]


def plan_signature(layout: PeLayout, signature: bytes) -> SignaturePlan:
    """Return how `signature` (a ContentInfo) gets into the file, instead of one that is there.

    The table first, then the entry that leads to it; a checksum, where there was one, comes last (`pe_digest.pe_checksum`).

    Raises:
        PeTooLargeError: the file would grow beyond 4 GB.
    """
    start = layout.content_end + layout.padding
    padded = signature + bytes(-len(signature) % ALIGNMENT)
    length = _CERTIFICATE.size + len(padded)
    if start + length > MAX_FILE_BYTES:
        raise PeTooLargeError("with its signature the file would have 4 GB or more")
    table = bytes(layout.padding) + _CERTIFICATE.pack(length, _REVISION, _PKCS_SIGNED_DATA) + padded
    return SignaturePlan(
        writes=(
            (layout.content_end, table),
            (layout.security_offset, struct.pack("<II", start, length)),
        ),
        final_size=start + length,
        checksum_offset=layout.checksum_offset,
    )
