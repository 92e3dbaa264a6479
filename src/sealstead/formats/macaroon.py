"""Macaroons in the binary v2 format of libmacaroons: bytes to values and back, and the signature chain.

Layout: version `02`; location (field 1), identifier (field 2), end; each caveat as field 2, end; end of
caveats; signature (field 6, 32 bytes). Fields are a varint type, a varint length and the value. The
signature is an HMAC-SHA256 chain over identifier and caveats (Birgisson et al., NDSS 2014, section V).

Rules:
  * First-party caveats only: a caveat with a location or a verification id is refused.
  * One encoding per value: minimal varints, nothing after the signature. So no two byte strings are the
    same macaroon.
  * Nothing is believed before `verify_macaroon` has returned; the location is never covered by the signature.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from sealstead.errors import ParseError, VerificationError

_VERSION = 2
_END = 0
_LOCATION = 1
_IDENTIFIER = 2
_SIGNATURE = 6
SIGNATURE_BYTES = 32
_KEY_GENERATOR = b"macaroons-key-generator"
"""libmacaroons derives the first key of the chain with this constant."""
MAX_BYTES = 12_288
"""More than any token we issue with dozens of caveats; a bound on what a stranger makes us hash."""


class MacaroonFormatError(ParseError):
    code = "macaroon-format"


class SignatureMismatchError(VerificationError):
    """Not made with this root key, or changed since."""

    code = "signature-mismatch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Macaroon:
    """A parsed macaroon; authentic only after `verify_macaroon`."""

    location: bytes
    identifier: bytes
    caveats: tuple[bytes, ...]
    signature: bytes

    def __repr__(self) -> str:
        # The signature is what makes a bearer.
        return f"Macaroon(identifier={self.identifier!r}, caveats={len(self.caveats)})"


def mint(root: bytes, *, location: bytes, identifier: bytes, caveats: Iterable[bytes] = ()) -> Macaroon:
    """Return a macaroon signed under `root` (32 random bytes, kept by the caller)."""
    packed = tuple(caveats)
    return Macaroon(
        location=location, identifier=identifier, caveats=packed, signature=_chain(root, identifier, packed)
    )


def add_caveat(macaroon: Macaroon, caveat: bytes) -> Macaroon:
    """Return a macaroon narrowed by one more caveat. Any holder can do this, offline; nobody can undo it."""
    return Macaroon(
        location=macaroon.location,
        identifier=macaroon.identifier,
        caveats=(*macaroon.caveats, caveat),
        signature=hmac.digest(macaroon.signature, caveat, "sha256"),
    )


def verify_macaroon(macaroon: Macaroon, root: bytes) -> None:
    """Return if the signature holds, in time that does not depend on where it differs.

    Raises:
        SignatureMismatchError
    """
    if not hmac.compare_digest(_chain(root, macaroon.identifier, macaroon.caveats), macaroon.signature):
        raise SignatureMismatchError("signatures do not match")


def _chain(root: bytes, identifier: bytes, caveats: tuple[bytes, ...]) -> bytes:
    signature = hmac.digest(hmac.digest(_KEY_GENERATOR, root, "sha256"), identifier, "sha256")
    for caveat in caveats:
        signature = hmac.digest(signature, caveat, "sha256")
    return signature


def serialize_macaroon(macaroon: Macaroon) -> bytes:
    parts = [bytes([_VERSION])]
    if macaroon.location:
        parts.append(_field(_LOCATION, macaroon.location))
    parts += [_field(_IDENTIFIER, macaroon.identifier), bytes([_END])]
    for caveat in macaroon.caveats:
        parts += [_field(_IDENTIFIER, caveat), bytes([_END])]
    parts += [bytes([_END]), _field(_SIGNATURE, macaroon.signature)]
    return b"".join(parts)


def parse_macaroon(data: bytes) -> Macaroon:
    """Read a macaroon strictly.

    Raises:
        MacaroonFormatError: anything else than the one encoding of a first-party macaroon v2.
    """
    if len(data) > MAX_BYTES:
        _refuse("too long")
    try:
        return _parse(data)
    except IndexError:
        _refuse("truncated")


def _parse(data: bytes) -> Macaroon:
    if data[0] != _VERSION:
        _refuse("not version 2")
    position, location = 1, b""
    if data[position] == _LOCATION:
        location, position = _read(data, position, _LOCATION)
        if not location:
            _refuse("an empty location")
    identifier, position = _read(data, position, _IDENTIFIER)
    position = _end(data, position)
    caveats = []
    while data[position] != _END:
        caveat, position = _read(data, position, _IDENTIFIER)
        position = _end(data, position)
        caveats.append(caveat)
    signature, position = _read(data, position + 1, _SIGNATURE)
    if len(signature) != SIGNATURE_BYTES:
        _refuse("a signature of the wrong length")
    if position != len(data):
        _refuse("trailing data")
    return Macaroon(location=location, identifier=identifier, caveats=tuple(caveats), signature=signature)


def _read(data: bytes, position: int, kind: int) -> tuple[bytes, int]:
    """Return the value of the field of this kind at `position`, and where it ends."""
    if data[position] != kind:
        _refuse("an unexpected field")
    length = data[position + 1]
    start = position + 2
    if length & 0x80:
        # MAX_BYTES needs two bytes of seven bits; a longer or padded length is another encoding of the same.
        high = data[start]
        if not 0 < high < 0x80:  # noqa: PLR2004 - the continuation bit
            _refuse("a length out of bounds or not minimal")
        length = (length & 0x7F) | high << 7
        start += 1
    end = start + length
    if end > len(data):
        _refuse("truncated")
    return data[start:end], end


def _end(data: bytes, position: int) -> int:
    if data[position] != _END:
        _refuse("an unexpected field")
    return position + 1


def _field(kind: int, value: bytes) -> bytes:
    length = len(value)
    if length < 0x80:  # noqa: PLR2004 - one byte of seven bits
        return bytes([kind, length]) + value
    if length >= 1 << 14:
        _refuse("too long")
    return bytes([kind, length & 0x7F | 0x80, length >> 7]) + value


def _refuse(what: str) -> NoReturn:
    raise MacaroonFormatError(f"not a macaroon: {what}")
