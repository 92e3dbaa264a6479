"""Macaroons in the binary format, version 2, with first-party caveats.

Format: libmacaroons, `doc/format.txt`. Construction: Birgisson and others, "Macaroons: Cookies with Contextual
Caveats for Decentralized Authorization in the Cloud", NDSS 2014. There is no RFC.

    macaroon = 02 [location] identifier EOS *( caveat EOS ) EOS signature
    location = 01 length bytes      identifier, caveat = 02 length bytes
    EOS      = 00                   signature          = 06 20 and 32 bytes

What this reader upholds beyond the format:

* One value has one encoding: lengths are the shortest varints, nothing follows the signature. So what was
  read is what gets written, bit for bit.
* Third-party caveats, JSON and version 1 are refused, not skipped.
* Size and number of caveats are bounded, so that nobody buys much work with one header.

The location is not covered by the signature: it informs, and nothing may be decided by it. What a caveat says
is the business of `caveats`; how a macaroon becomes a token is that of `token_text`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from sealstead.errors import InputError, ParseError, VerificationError

_VERSION = 2
_LOCATION = 1
_IDENTIFIER = 2
_VERIFICATION_ID = 4
_SIGNATURE = 6
_END = 0

_KEY_GENERATOR = b"macaroons-key-generator"
"""HMAC key that turns a root key of any length into the first chain key (libmacaroons)."""

SIGNATURE_BYTES = 32
MAX_BYTES = 32 * 1024
"""Four times the longest header line that common servers take."""
MAX_CAVEATS = 128


class MacaroonFormatError(ParseError):
    """The bytes are no macaroon of version 2, or not in its one encoding."""

    code = "macaroon-format"


class MacaroonTooLargeError(InputError):
    """What should be written could not be read back."""

    code = "macaroon-too-large"


class SignatureMismatchError(VerificationError):
    """The macaroon was not made with this root key, or was changed since."""

    code = "signature-mismatch"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Macaroon:
    """A parsed macaroon. Nothing in it is proved before `verify_macaroon` has returned.

    The signature is what makes it a bearer secret, so it is kept out of `repr`, and two macaroons are
    never compared with `==`.
    """

    location: bytes | None
    """Where it comes from, as the maker says; `None` and empty are written differently."""
    identifier: bytes
    caveats: tuple[bytes, ...]
    signature: bytes = field(repr=False)


def mint(
    root: bytes, *, location: bytes | None, identifier: bytes, caveats: Iterable[bytes] = ()
) -> Macaroon:
    """Return a new macaroon. The caller makes the root key from 32 random bytes and keeps it secret."""
    packed = tuple(caveats)
    return Macaroon(
        location=location,
        identifier=identifier,
        caveats=packed,
        signature=_chain(root, identifier, packed),
    )


def add_caveat(macaroon: Macaroon, caveat: bytes) -> Macaroon:
    """Return the macaroon with one caveat more. Any holder can do this, offline; nobody can undo it."""
    return Macaroon(
        location=macaroon.location,
        identifier=macaroon.identifier,
        caveats=(*macaroon.caveats, caveat),
        signature=hmac.digest(macaroon.signature, caveat, "sha256"),
    )


def verify_macaroon(macaroon: Macaroon, root: bytes) -> None:
    """Return if the macaroon was minted with `root` and only narrowed since. Constant-time.

    Raises:
        SignatureMismatchError: anything else.
    """
    expected = _chain(root, macaroon.identifier, macaroon.caveats)
    if not hmac.compare_digest(expected, macaroon.signature):
        raise SignatureMismatchError("signatures do not match")


def parse_macaroon(data: bytes) -> Macaroon:
    """Return the macaroon that these bytes, all of them, encode.

    Raises:
        MacaroonFormatError: for every other input.
    """
    if len(data) > MAX_BYTES:
        raise MacaroonFormatError(f"longer than {MAX_BYTES} bytes")
    try:
        return _parse(data)
    except IndexError:
        raise MacaroonFormatError("ends too early") from None


def serialize_macaroon(macaroon: Macaroon) -> bytes:
    """Return the one encoding of the macaroon.

    Raises:
        MacaroonTooLargeError: beyond MAX_BYTES or MAX_CAVEATS.
    """
    out = bytearray((_VERSION,))
    if macaroon.location is not None:
        _append(out, _LOCATION, macaroon.location)
    _append(out, _IDENTIFIER, macaroon.identifier)
    out.append(_END)
    for caveat in macaroon.caveats:
        _append(out, _IDENTIFIER, caveat)
        out.append(_END)
    out.append(_END)
    _append(out, _SIGNATURE, macaroon.signature)
    if len(out) > MAX_BYTES or len(macaroon.caveats) > MAX_CAVEATS:
        raise MacaroonTooLargeError(
            f"a macaroon has at most {MAX_BYTES} bytes and {MAX_CAVEATS} caveats",
            hint="name fewer projects, or narrow the original instead of a narrowed copy",
        )
    return bytes(out)


def _chain(root: bytes, identifier: bytes, caveats: tuple[bytes, ...]) -> bytes:
    signature = hmac.digest(hmac.digest(_KEY_GENERATOR, root, "sha256"), identifier, "sha256")
    for caveat in caveats:
        signature = hmac.digest(signature, caveat, "sha256")
    return signature


def _parse(data: bytes) -> Macaroon:
    if data[0] != _VERSION:
        raise MacaroonFormatError("not a macaroon of version 2")
    location, at = _field(data, 1, _LOCATION) if data[1] == _LOCATION else (None, 1)
    identifier, at = _section(data, at)
    caveats: list[bytes] = []
    while data[at] != _END:
        caveat, at = _section(data, at)
        caveats.append(caveat)
    if len(caveats) > MAX_CAVEATS:
        raise MacaroonFormatError(f"more than {MAX_CAVEATS} caveats")
    signature, at = _field(data, at + 1, _SIGNATURE)
    if len(signature) != SIGNATURE_BYTES:
        raise MacaroonFormatError("its signature is not 32 bytes long")
    if at != len(data):
        raise MacaroonFormatError("something follows the signature")
    return Macaroon(location=location, identifier=identifier, caveats=tuple(caveats), signature=signature)


def _section(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the identifier that makes up the section at `at`, and where the next section begins."""
    value, at = _field(data, at, _IDENTIFIER)
    if data[at] != _END:
        raise _unexpected(data[at])
    return value, at + 1


def _field(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """Return the field of this kind at `at`, and where it ends."""
    if data[at] != kind:
        raise _unexpected(data[at])
    length = data[at + 1]
    start = at + 2
    if length > 0x7F:  # noqa: PLR2004 - a varint: seven bits a byte, least first, the top bit says "more"
        length, start = _long_length(data, at + 1)
    end = start + length
    if end > len(data):
        raise MacaroonFormatError("ends too early")
    return data[start:end], end


def _unexpected(kind: int) -> MacaroonFormatError:
    # An identifier has been read when one of these two comes, or a caveat should begin.
    if kind in (_LOCATION, _VERIFICATION_ID):
        return MacaroonFormatError("a field is out of order; third-party caveats are not supported")
    return MacaroonFormatError("a field is missing, unknown or out of order")


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    length = data[at] & 0x7F
    # Three bytes reach 2 MiB, far beyond MAX_BYTES.
    for shift in (7, 14):
        at += 1
        byte = data[at]
        length |= (byte & 0x7F) << shift
        if byte == 0:
            raise MacaroonFormatError("a length is not in its shortest form")
        if not byte & 0x80:
            return length, at + 1
    raise MacaroonFormatError("a length is out of bounds")


def _append(out: bytearray, kind: int, value: bytes) -> None:
    out.append(kind)
    length = len(value)
    while length > 0x7F:  # noqa: PLR2004 - see _field
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    out += value
