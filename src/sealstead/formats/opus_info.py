"""The name of a program and where it comes from, as a signature carries them (SpcSpOpusInfo).

Windows shows both when it asks whether to run something, so what we write is what can be seen, and nothing else. What
others wrote is read for showing only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sealstead.errors import InputError
from sealstead.formats.cms import SignedData, attribute
from sealstead.formats.der import MalformedDerError, children, read_tlv, seq, tag, whole

SPC_OPUS_INFO = "1.3.6.1.4.1.311.2.1.12"

MAX_DESCRIPTION = 512
MAX_URL = 2048
"""In characters; Windows shows far less, and each signature carries them."""

_PROGRAM, _MORE = 0xA0, 0xA1
_UNICODE, _ASCII, _LINK = 0x80, 0x81, 0x80
_SPACE = 0x20
_DELETE = 0x7F
_C1_END = 0xA0
_BMP_END = 0xFFFF
_SURROGATES = range(0xD800, 0xE000)
# Characters that turn text around, or cannot be seen: a description must show what it is.
_HIDDEN = frozenset(
    map(chr, (0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
)
_URL = re.compile(r"https?://[!-~]+", re.ASCII)


class SignatureTextError(InputError):
    """A description or address that a signature cannot carry."""

    code = "bad-signature-text"


class Opus(NamedTuple):
    """Words of the signer, which nobody else vouches for."""

    description: str | None
    url: str | None


@lru_cache(maxsize=64)
def opus_info(description: str | None, url: str | None) -> bytes:
    """Return the attribute that names the program and where it comes from; it is there even when it says nothing.

    Raises:
        SignatureTextError: one that no signature should carry.
    """
    parts = []
    if description:
        text = _checked_description(description).encode("utf-16-be")
        parts.append(tag(0, tag(0, text, constructed=False)))
    if url:
        parts.append(tag(1, tag(0, _checked_url(url).encode("ascii"), constructed=False)))
    return attribute(SPC_OPUS_INFO, seq(*parts))


def read_opus(signed_data: SignedData) -> Opus:
    """Return what the signer says of the program.

    Raises:
        MalformedDerError, MalformedCmsError: it cannot be read.
    """
    value = signed_data.signer.find_signed(SPC_OPUS_INFO)
    description = url = None
    for part in children(value, whole(value, "the name of a program")) if value else ():
        if value is None or part.tag not in (_PROGRAM, _MORE):
            continue
        inner = read_tlv(value, part.header, part.end)
        if part.tag == _PROGRAM and inner.tag in (_UNICODE, _ASCII):
            description = _decoded(inner.content(value), "utf-16-be" if inner.tag == _UNICODE else "latin-1")
        elif part.tag == _MORE and inner.tag == _LINK:
            url = _decoded(inner.content(value), "latin-1")
    return Opus(description or None, url or None)


def _decoded(content: bytes, encoding: str) -> str:
    if len(content) > 4 * MAX_URL:
        raise MalformedDerError("the name of a program is longer than any")
    return content.decode(encoding, "replace")


def _checked_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise SignatureTextError(f"a description of {len(text)} characters; at most {MAX_DESCRIPTION}")
    for char in text:
        point = ord(char)
        if point < _SPACE or _DELETE <= point < _C1_END or point in _SURROGATES or char in _HIDDEN:
            raise SignatureTextError(f"a description with the character U+{point:04X}, which cannot be seen")
        if point > _BMP_END:
            raise SignatureTextError(
                f"a description with U+{point:X}", hint="signatures know the Basic Multilingual Plane only"
            )
    return text


def _checked_url(url: str) -> str:
    if len(url) > MAX_URL:
        raise SignatureTextError(f"an address of {len(url)} characters; at most {MAX_URL}")
    if not _URL.fullmatch(url):
        raise SignatureTextError(
            f"{url[:80]!r} is no address for a signature",
            hint="it starts with https:// or http:// and is ASCII",
        )
    return url
