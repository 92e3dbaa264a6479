"""Upload tokens as people paste them: `pypi-` and a macaroon in base64.

Written as the reference index writes them: URL-safe base64 (RFC 4648, section 5) without padding. Read with
what clients in the field produce: with padding too, and with the standard alphabet. Anything else inside
the text is refused, blanks and line ends among it: those who read a header or a prompt strip them first.

`pypi-` at the front is what leak scanners look for. The split is at the first `-`, since base64 may have more.
"""

from __future__ import annotations

import binascii

from sealstead.errors import ParseError
from sealstead.formats.macaroon import MAX_BYTES, Macaroon, parse_macaroon, serialize_macaroon

PREFIX = "pypi"

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAX_CHARS = len(PREFIX) + 1 + (MAX_BYTES + 2) // 3 * 4


class TokenTextError(ParseError):
    """The text is no upload token. The message never repeats it: it may be a secret of another kind."""

    code = "token-text"


def parse_token(text: str) -> Macaroon:
    """Return the macaroon in the text of a token; nothing in it is proved yet.

    Raises:
        TokenTextError: not `pypi-` and base64.
        MacaroonFormatError: what the base64 holds is no macaroon.
    """
    prefix, _, body = text.partition("-")
    if prefix != PREFIX or not body:
        raise TokenTextError("not an upload token: it does not begin with pypi-")
    if len(text) > _MAX_CHARS or not body.isascii():
        raise TokenTextError("not an upload token")
    standard = body.encode().translate(_TO_STANDARD)
    if standard[-1] != ord("="):
        standard += b"=" * (-len(standard) % 4)
    try:
        data = binascii.a2b_base64(standard)
    except binascii.Error:
        raise TokenTextError("not an upload token: it is cut off or damaged") from None
    # The decoder skips foreign characters and ignores surplus bits. One token has one text (but for alphabet
    # and padding), or a copy could slip past whoever compares texts, such as a list of leaked ones.
    if binascii.b2a_base64(data, newline=False) != standard:
        raise TokenTextError("not an upload token: it is cut off or damaged")
    return parse_macaroon(data)


def serialize_token(macaroon: Macaroon) -> str:
    """Return the text to hand out: a secret from here on.

    Raises:
        MacaroonTooLargeError: beyond what `parse_token` reads.
    """
    encoded = binascii.b2a_base64(serialize_macaroon(macaroon), newline=False)
    return f"{PREFIX}-{encoded.translate(_TO_URL_SAFE).rstrip(b'=').decode()}"
