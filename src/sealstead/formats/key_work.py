"""How much work it takes to open a file with an encrypted key: PKCS#12 (RFC 7292) and PKCS#8 (RFC 5958).

The file says itself how many rounds its password goes through, up to 2^31 for each of its parts, and a library carries out
whatever it says. So they are counted before it is asked: in every such structure (PBES1, PBES2 with PBKDF2 or scrypt, the MAC of
PKCS#12) a number follows the salt, an OCTET STRING.

BER, not DER: Windows writes indefinite lengths, and strings in pieces. What is no value is passed over, as libraries pass over what
they do not need; what they do need is read as they read it. What lies inside an encrypted part is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sealstead.errors import ParseError

_INTEGER, _OCTETS, _OCTETS_IN_PIECES = 0x02, 0x04, 0x24
_CONSTRUCTED, _HIGH_TAG, _INDEFINITE = 0x20, 0x1F, 0x80
_DEEPEST: Final = 40
"""Twice what the structures have."""
_LONGEST_NUMBER: Final = 8
_SCRYPT_NUMBERS: Final = 3
"""Cost, block size and parallelisation (RFC 7914, section 7.1): the work is their product."""


class MalformedBerError(ParseError):
    """Bytes that are no ASN.1 value, or one that is nested too deep."""

    code = "malformed-ber"


class _Value(NamedTuple):
    tag: int
    content: bytes
    children: list[_Value]


def rounds_of(data: bytes) -> int:
    """Return how many rounds of key derivation `data` asks for, all its parts together.

    Raises:
        MalformedBerError
    """
    value, _ = _read(data, 0, _DEEPEST)
    return sum(_rounds(value, _DEEPEST))


def _rounds(value: _Value, depth: int) -> Iterator[int]:
    numbers: list[int] | None = None
    for child in (*value.children, None):
        if numbers is not None and child is not None and child.tag == _INTEGER:
            digits = child.content.lstrip(b"\0")[: _LONGEST_NUMBER + 1]
            numbers.append(int.from_bytes(digits, "big"))
            continue
        if numbers:
            yield _work(numbers)
        numbers = None
        if child is None:
            return
        if child.tag in {_OCTETS, _OCTETS_IN_PIECES}:
            numbers = []
            yield from _within(child, depth)
        else:
            yield from _rounds(child, depth)


def _within(octets: _Value, depth: int) -> Iterator[int]:
    """What an OCTET STRING holds may be a value again. A salt is none, and is passed over."""
    try:
        inner, _ = _read(_joined(octets), 0, depth - 1)
    except MalformedBerError:
        return
    yield from _rounds(inner, depth - 1)


def _work(numbers: list[int]) -> int:
    if len(numbers) < _SCRYPT_NUMBERS:
        return numbers[0]  # a length of the key may follow
    cost, block, parallel = numbers[:_SCRYPT_NUMBERS]
    return cost * block * parallel


def _joined(octets: _Value) -> bytes:
    return b"".join(map(_joined, octets.children)) if octets.tag == _OCTETS_IN_PIECES else octets.content


def _read(data: bytes, at: int, depth: int) -> tuple[_Value, int]:
    """Return the value that begins at `at`, and where it ends."""
    try:
        tag, at = data[at], at + 1
        if tag & _HIGH_TAG == _HIGH_TAG:
            while data[at] & 0x80:
                at += 1
            at += 1
        length, at = data[at], at + 1
        if length > _INDEFINITE:
            size = length - _INDEFINITE
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        elif length == _INDEFINITE:
            return _read_open(tag, data, at, depth)
    except IndexError:
        raise MalformedBerError("the value is cut short") from None
    end = at + length
    if end > len(data):
        raise MalformedBerError("the value is cut short")
    content = data[at:end]
    return _Value(tag, content, _children(content, depth) if tag & _CONSTRUCTED else []), end


def _children(content: bytes, depth: int) -> list[_Value]:
    children, position = [], 0
    try:
        while position < len(content) and depth > 0:
            child, position = _read(content, position, depth - 1)
            children.append(child)
    except MalformedBerError:
        pass  # none of the structures, or a library refuses it
    return children


def _read_open(tag: int, data: bytes, at: int, depth: int) -> tuple[_Value, int]:
    """Read up to the two zero bytes that end a value of indefinite length (X.690, section 8.1.3.6)."""
    if not tag & _CONSTRUCTED or depth <= 0:
        raise MalformedBerError("an indefinite length stands where none can be")
    children = []
    while data[at : at + 2] != b"\0\0":
        child, at = _read(data, at, depth - 1)
        children.append(child)
    return _Value(tag, b"", children), at + 2
