"""Upload tokens as text: `pypi-` and the base64url of a macaroon, wire compatible with the reference index.

The prefix lets scanners and people tell what they found. Written without padding; read with or without, and
in either alphabet of RFC 4648, as the reference does (sections 4 and 5).
"""

from __future__ import annotations

import base64
import binascii

from sealstead.errors import ParseError
from sealstead.formats.macaroon import MAX_BYTES, Macaroon, parse_macaroon, serialize_macaroon

PREFIX = "pypi"
_MAX_CHARACTERS = MAX_BYTES * 4 // 3 + 8
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class TokenTextError(ParseError):
    code = "token-text"


def serialize_token(macaroon: Macaroon) -> str:
    """Return the token's text. It is a secret from here on."""
    return f"{PREFIX}-{base64.urlsafe_b64encode(serialize_macaroon(macaroon)).rstrip(b'=').decode()}"


def parse_token(text: str) -> Macaroon:
    """Return the macaroon a token carries. Never repeats the text in an error.

    Raises:
        TokenTextError: wrong prefix, not base64, too long.
        MacaroonFormatError: base64 of something else.
    """
    prefix, _, body = text.partition("-")
    if prefix != PREFIX or not body or len(body) > _MAX_CHARACTERS:
        raise TokenTextError("not an upload token")
    try:
        raw = body.encode("ascii").translate(_TO_STANDARD).rstrip(b"=")
        data = binascii.a2b_base64(raw + b"=" * (-len(raw) % 4), strict_mode=True)
    except ValueError:
        raise TokenTextError("not an upload token") from None
    return parse_macaroon(data)
