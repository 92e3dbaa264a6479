# ruff: noqa: PLR2004, C901 - gives way to formats/macaroon.py
"""Upload tokens as macaroons v2: mint, read, verify."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sealstead.errors import ParseError, VerificationError
from sealstead.secret import Secret

_PREFIX = "pypi-"


class TokenFormatError(ParseError):
    code = "token-format"


class SignatureMismatchError(VerificationError):
    code = "signature-mismatch"


@dataclass(frozen=True, kw_only=True)
class Macaroon:
    location: str
    identifier: bytes
    caveats: tuple[bytes, ...]
    signature: bytes


def mint(root: bytes, *, location: str, identifier: str, caveats: Sequence[object]) -> Secret[str]:
    packed = [json.dumps(caveat, separators=(",", ":")).encode() for caveat in caveats]
    out = bytearray(b"\x02")
    for number, value in ((1, location.encode()), (2, identifier.encode())):
        out += bytes([number]) + _varint(len(value)) + value
    out += b"\x00"
    for caveat in packed:
        out += b"\x02" + _varint(len(caveat)) + caveat + b"\x00"
    out += b"\x00\x06\x20" + _chain(root, identifier.encode(), packed)
    return Secret(_PREFIX + base64.urlsafe_b64encode(bytes(out)).rstrip(b"=").decode())


def parse(text: str) -> Macaroon:
    if not text.startswith(_PREFIX) or not text.isascii():
        raise TokenFormatError("no upload token")
    body = text.removeprefix(_PREFIX)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return _read(raw)
    except (binascii.Error, ValueError, IndexError) as exc:
        raise TokenFormatError("no upload token") from exc


def verify(token: Macaroon, root: bytes) -> None:
    if not hmac.compare_digest(_chain(root, token.identifier, token.caveats), token.signature):
        raise SignatureMismatchError("signatures do not match")


def _chain(root: bytes, identifier: bytes, caveats: Sequence[bytes]) -> bytes:
    signature = hmac.digest(b"macaroons-key-generator", root, hashlib.sha256)
    for part in (identifier, *caveats):
        signature = hmac.digest(signature, part, hashlib.sha256)
    return signature


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read(raw: bytes) -> Macaroon:
    position = 0

    def field(expected: int) -> bytes:
        nonlocal position
        if raw[position] != expected:
            raise ValueError("unexpected field")
        position += 1
        length = shift = 0
        while True:
            byte = raw[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        value = raw[position : position + length]
        if len(value) != length:
            raise ValueError("truncated")
        position += length
        return value

    def end() -> None:
        nonlocal position
        if raw[position] != 0:
            raise ValueError("no end of section")
        position += 1

    if raw[0] != 2:
        raise ValueError("not version 2")
    position = 1
    location = field(1).decode()
    identifier = field(2)
    end()
    caveats = []
    while raw[position] != 0:
        caveats.append(field(2))
        end()
    end()
    signature = field(6)
    if position != len(raw) or len(signature) != 32:
        raise ValueError("trailing data")
    return Macaroon(location=location, identifier=identifier, caveats=tuple(caveats), signature=signature)
