"""BER as other signers write it, made definite: lengths that are said at the end, strings in pieces (ITU-T X.690, section 8).

`openssl cms -sign -stream` writes such signatures. Nothing else of BER is read, and a value without an indefinite length
keeps its bytes, certificates and signed attributes above all: what was signed is not encoded anew. If one of them was
written in that way, it is over other bytes, and its signature does not hold; CMS wants them in DER (RFC 5652, section 5.4).
"""

from __future__ import annotations

from sealstead.formats.der import MAX_BYTES, OCTET_STRING, MalformedDerError, read_tlv, tlv

MAX_DEPTH = 32
"""A signature with nested ones and their time-stamps has some twenty."""
MAX_VALUES = 1 << 16
_CONSTRUCTED, _INDEFINITE, _HIGH_TAG = 0x20, 0x80, 0x1F
_IN_PIECES = OCTET_STRING | _CONSTRUCTED
_END = b"\0\0"


def is_indefinite(data: bytes) -> bool:
    """Whether a value begins here whose length is said at its end."""
    return data[1:2] == bytes((_INDEFINITE,))


def definite(data: bytes) -> bytes:
    """Return one value, from the first to the last byte of `data`, with definite lengths; most are so already.

    Raises:
        MalformedDerError: it is none, or followed by something, or larger or deeper than any signature.
    """
    if not is_indefinite(data):
        return data
    value, end = first_definite(data)
    if end != len(data):
        raise MalformedDerError("a signature is followed by something")
    return value


def first_definite(data: bytes) -> tuple[bytes, int]:
    """Return the value that `data` begins with, and where it ends in `data`. Raises MalformedDerError."""
    if len(data) > MAX_BYTES:
        raise MalformedDerError("a signature is larger than any")
    return _Reader(data).read(0, len(data), MAX_DEPTH)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_VALUES

    def read(self, offset: int, end: int, depth: int) -> tuple[bytes, int]:
        """Return the value at `offset`, and where it ends."""
        self._left -= 1
        if not depth or not self._left:
            raise MalformedDerError("an ASN.1 value with too many parts")
        data = self._data
        if data[offset + 1 : offset + 2] != bytes((_INDEFINITE,)) or offset + 2 > end:
            found = read_tlv(data, offset, end)
            if not found.tag & _CONSTRUCTED:
                return found.raw(data), found.end
            parts = self._parts(found.header, found.end, depth)
            return self._joined(found.tag, parts, found.raw(data)), found.end
        number = data[offset]
        if not number & _CONSTRUCTED or number & _HIGH_TAG == _HIGH_TAG:
            raise MalformedDerError("an indefinite length (BER) stands where none can be")
        parts = []
        offset += 2
        while data[offset : offset + 2] != _END:
            part, offset = self.read(offset, end, depth - 1)
            parts.append(part)
        if offset + 2 > end:
            raise MalformedDerError("an ASN.1 value is cut off")
        return self._joined(number, parts, None), offset + 2

    def _parts(self, offset: int, end: int, depth: int) -> list[bytes]:
        parts = []
        while offset < end:
            part, offset = self.read(offset, end, depth - 1)
            parts.append(part)
        return parts

    def _joined(self, number: int, parts: list[bytes], raw: bytes | None) -> bytes:
        """Return the value with these parts: `raw` where that is the same."""
        if number == _IN_PIECES:
            if any(part[0] != OCTET_STRING for part in parts):
                raise MalformedDerError("a string in pieces (BER) of something else")
            return tlv(OCTET_STRING, *(read_tlv(part).content(part) for part in parts))
        content = b"".join(parts)
        return raw if raw is not None and raw.endswith(content) else tlv(number, content)
