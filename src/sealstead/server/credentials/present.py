"""Read the credential out of an `Authorization` header.

RFC 7617 `Basic` with the user name `__token__` is what twine, uv and pip send; `Bearer` (RFC 6750)
and `token` carry the token alone. Nothing is looked up here, and no password is ever compared:
a pair of user name and password gets the text that tells people what to use instead.
"""

from __future__ import annotations

import base64
import binascii

from sealstead.secret import Secret
from sealstead.server.credentials.errors import InvalidCredentialError, PasswordNotSupportedError

TOKEN_USERNAME = "__token__"  # noqa: S105 - a user name

MAX_HEADER_CHARS = 16_384
"""An attenuated token with hundreds of project names fits; beyond it nothing is decoded."""


def read_credential(authorization: str | None) -> Secret[str]:
    """Return the text presented as a token, without the blanks and newlines that copying leaves at its ends.

    Raises:
        InvalidCredentialError: no header, an unknown scheme, undecodable, or nothing in it.
        PasswordNotSupportedError: any user name but `__token__`.
    """
    if not authorization or len(authorization) > MAX_HEADER_CHARS:
        raise InvalidCredentialError
    scheme, _, rest = authorization.strip().partition(" ")
    match scheme.lower():
        case "basic":
            text = _password(rest)
        case "bearer" | "token":
            text = rest.strip()
        case _:
            raise InvalidCredentialError
    if not text:
        raise InvalidCredentialError
    return Secret(text)


def _password(encoded: str) -> str:
    try:
        # twine encodes latin-1 when it can; a token is ASCII in both, anything else is no token.
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidCredentialError from None
    username, colon, password = pair.partition(":")
    if not colon:
        raise InvalidCredentialError
    if username != TOKEN_USERNAME:
        raise PasswordNotSupportedError
    return password.strip()
