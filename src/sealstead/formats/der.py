"""DER values: write them, and walk through those of others (ITU-T X.690).

Writing is strict DER. Reading is a walk over tag, length and value that checks every bound and believes nothing else:
foreign signatures keep their order and their bytes, for what is signed must never be encoded anew.

Not here: indefinite lengths, which `ber` makes definite where signers write them, and tag numbers above 30, which none
of our formats uses; both are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sealstead.errors import ParseError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME, BMP_STRING = 0x0C, 0x16, 0x17, 0x18, 0x1E
SEQUENCE, SET = 0x30, 0x31

MAX_BYTES = 64 << 20
"""More than any signature with its certificates; a walk over it stays quick."""
MAX_CHILDREN = 4096
MAX_LENGTH_BYTES = 4
"""Four bytes say up to 4 GB; more would only be leading zeros or a lie."""

_LONG_FORM, _HIGH_TAG, _CONTEXT, _CONSTRUCTED = 0x80, 0x1F, 0x80, 0x20
_MOST_OID_BYTES = 128


class MalformedDerError(ParseError):
    """Bytes that are not the ASN.1 value they should be."""

    code = "malformed-der"


class Tlv(NamedTuple):
    """Where one value lies in `data`: it starts at `start`, its content at `header`, both up to `end`."""

    tag: int
    start: int
    header: int
    end: int

    def raw(self, data: bytes) -> bytes:
        """Return the value with its tag and length."""
        return data[self.start : self.end]

    def content(self, data: bytes) -> bytes:
        return data[self.header : self.end]


# Writing


def tlv(number: int, *parts: bytes) -> bytes:
    """Return `parts`, joined, as the content of a value with this identifier octet."""
    content = b"".join(parts)
    length = len(content)
    if length < _LONG_FORM:
        return bytes((number, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((number, _LONG_FORM | size)) + length.to_bytes(size, "big") + content


def seq(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF in the one order DER allows (X.690, section 11.6)."""
    return tlv(SET, *sorted(parts))


def octets(content: bytes) -> bytes:
    return tlv(OCTET_STRING, content)


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return tlv(OID, bytes(out))


def integer(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(INTEGER, value.to_bytes(size, "big", signed=True))


def boolean(value: bool) -> bytes:  # noqa: FBT001 - as with the others, the value is the one thing given
    return tlv(BOOLEAN, b"\xff" if value else b"\0")


def utf8(text: str) -> bytes:
    return tlv(UTF8_STRING, text.encode())


def bmp(text: str) -> bytes:
    """`text` holds characters of the Basic Multilingual Plane only."""
    return tlv(BMP_STRING, text.encode("utf-16-be"))


def ia5(text: str) -> bytes:
    return tlv(IA5_STRING, text.encode("ascii"))


def null() -> bytes:
    return b"\x05\x00"


def tag(number: int, *parts: bytes, constructed: bool = True) -> bytes:
    """Return a context-specific value: explicit around whole values, or implicit around mere content."""
    return tlv(_CONTEXT | (_CONSTRUCTED if constructed else 0) | number, *parts)


# Reading


def read_tlv(data: bytes, offset: int = 0, end: int | None = None) -> Tlv:
    """Return where the value at `offset` lies; `end` bounds what contains it.

    Raises:
        MalformedDerError: none starts there, or it would reach beyond `end`.
    """
    end = len(data) if end is None else end
    if not 0 <= offset <= end - 2 or end > len(data):
        raise MalformedDerError("an ASN.1 value is cut off")
    number, length = data[offset], data[offset + 1]
    if number & _HIGH_TAG == _HIGH_TAG:
        raise MalformedDerError("an ASN.1 tag of a kind that no signature uses")
    header = offset + 2
    if length >= _LONG_FORM:
        size = length & 0x7F
        if not size:
            raise MalformedDerError("an ASN.1 value of indefinite length (BER), where DER is asked for")
        if size > MAX_LENGTH_BYTES or header + size > end:
            raise MalformedDerError("an ASN.1 length that cannot be")
        length = int.from_bytes(data[header : header + size], "big")
        header += size
    if length > end - header:
        raise MalformedDerError("an ASN.1 value reaches beyond what holds it")
    return Tlv(number, offset, header, header + length)


def children(data: bytes, parent: Tlv) -> Iterator[Tlv]:
    """Yield what a constructed value holds, in the order in which it stands there.

    Raises:
        MalformedDerError: while walking: one is cut off, or there are more than `MAX_CHILDREN`.
    """
    offset = parent.header
    for _ in range(MAX_CHILDREN):
        if offset == parent.end:
            return
        child = read_tlv(data, offset, parent.end)
        yield child
        offset = child.end
    raise MalformedDerError("an ASN.1 value with too many parts")


class Walk:
    """The children of one value, taken in order by what a specification says comes next."""

    def __init__(self, data: bytes, parent: Tlv, what: str) -> None:
        self._data = data
        self._what = what
        self._left = list(reversed(list(children(data, parent))))

    def take(self, *tags: int) -> Tlv:
        """Return the next child.

        Raises:
            MalformedDerError: there is none, or it has none of these tags (any, when none is named).
        """
        if not self._left or (tags and self._left[-1].tag not in tags):
            raise MalformedDerError(f"{self._what} is not of the form it should have")
        return self._left.pop()

    def find(self, *tags: int) -> Tlv | None:
        """Return the next child if it has one of these tags."""
        return self._left.pop() if self._left and self._left[-1].tag in tags else None

    def rest(self) -> list[Tlv]:
        left, self._left = self._left[::-1], []
        return left

    def done(self) -> None:
        """Raises MalformedDerError if anything is left over."""
        if self._left:
            raise MalformedDerError(f"{self._what} holds more than it should")


def walk(data: bytes, parent: Tlv, what: str, *, tag: int = SEQUENCE) -> Walk:
    """Return the children of `parent`, which is `what` and has this tag.

    Raises:
        MalformedDerError: it has another.
    """
    if parent.tag != tag:
        raise MalformedDerError(f"{what} is not of the form it should have")
    return Walk(data, parent, what)


def only(data: bytes, parent: Tlv, what: str) -> Tlv:
    """Return the one child of `parent`. Raises MalformedDerError unless it has exactly one."""
    walked = Walk(data, parent, what)
    child = walked.take()
    walked.done()
    return child


def whole(data: bytes, what: str, *, tag: int = SEQUENCE) -> Tlv:
    """Return the value that `data` is, from its first to its last byte.

    Raises:
        MalformedDerError: it is too large, of another tag, or followed by something.
    """
    if len(data) > MAX_BYTES:
        raise MalformedDerError(f"{what} is larger than any")
    value = read_tlv(data)
    if value.tag != tag or value.end != len(data):
        raise MalformedDerError(f"{what} is not of the form it should have")
    return value


def read_oid(data: bytes, value: Tlv) -> str:
    """Return an object identifier in dots. Raises MalformedDerError if it is none."""
    content = value.content(data)
    if value.tag != OID or not 0 < len(content) <= _MOST_OID_BYTES or content[-1] & 0x80:
        raise MalformedDerError("an ASN.1 object identifier is none")
    arcs: list[int] = []
    arc = 0
    for byte in content:
        if byte == _LONG_FORM and not arc:  # a leading zero of a number, in base 128
            raise MalformedDerError("an ASN.1 object identifier is none")
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))


def read_integer(data: bytes, value: Tlv) -> int:
    """Raises MalformedDerError if it is no integer, or one that no format of ours needs (over 64 bytes)."""
    content = value.content(data)
    if value.tag != INTEGER or not 0 < len(content) <= 64:  # noqa: PLR2004 - said above
        raise MalformedDerError("an ASN.1 integer is none")
    return int.from_bytes(content, "big", signed=True)


def splice(data: bytes, path: list[Tlv], start: int, end: int, new: bytes) -> bytes:
    """Return `data` with `data[start:end]` replaced, and the lengths of all that contains it set right.

    `path` leads from the outermost value to the one that holds `start` and `end`; whatever is beside it stays as it is.
    """
    for parent in reversed(path):
        new = tlv(parent.tag, data[parent.header : start], new, data[end : parent.end])
        start, end = parent.start, parent.end
    return data[:start] + new + data[end:]
