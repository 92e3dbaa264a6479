"""Signing API keys as people paste them: `seal_<id>_<secret>_<checksum>` (docs/reference/api-keys.md).

All of it is base62 (digits, capitals, small letters: `0`…`9`, `A`…`Z`, `a`…`z`, in this order), so that a double
click selects the whole key and no shell, URL or dotenv file needs quotes around it:

  * id, 12 characters: public, names the key in lists and logs;
  * secret, 43 characters: 256 bits;
  * checksum, 6 characters: CRC-32 (that of zlib) of everything before the last `_`, most significant digit first.
    It tells a typo and a find of a scanner without asking any server. It proves nothing.

A server is never given more than the id and the SHA-256 of the 43 characters of the secret.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from sealstead.errors import ParseError
from sealstead.secret import Secret

PREFIX = "seal_"
ID_CHARS = 12
SECRET_CHARS = 43
CHECKSUM_CHARS = 6

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(
    rf"(?P<body>seal_(?P<id>[0-9A-Za-z]{{{ID_CHARS}}})_(?P<secret>[0-9A-Za-z]{{{SECRET_CHARS}}}))"
    rf"_(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_CHARS}}})",
    re.ASCII,
)
_ID = re.compile(rf"[0-9A-Za-z]{{{ID_CHARS}}}", re.ASCII)
_SURPLUS_BYTES = 8
"""Drawn beyond what the digits hold, so that the remainder favours no digit by more than 2^-64."""


class ApiKeyShapeError(ParseError):
    """The text does not look like one of our API keys. The message never repeats it: it may be another secret."""

    code = "api-key-shape"


class ApiKeyChecksumError(ParseError):
    """It begins like one of our API keys, but was cut off or mistyped."""

    code = "api-key-checksum"


@dataclass(frozen=True, kw_only=True)
class ApiKeyText:
    """One key. `text` is the whole, `secret` its 43 characters."""

    id: str
    secret: Secret[str]
    text: Secret[str]

    @property
    def secret_sha256(self) -> str:
        """Lower hex: all that a server learns of the secret."""
        return hashlib.sha256(self.secret.reveal().encode()).hexdigest()


def make_api_key(random_bytes: Callable[[int], bytes]) -> ApiKeyText:
    """Return a new key out of `random_bytes(count)`, which must be unpredictable, as `os.urandom` is."""
    key_id = _base62(random_bytes, ID_CHARS)
    secret = _base62(random_bytes, SECRET_CHARS)
    body = f"{PREFIX}{key_id}_{secret}"
    return ApiKeyText(id=key_id, secret=Secret(secret), text=Secret(f"{body}_{checksum_of(body)}"))


def parse_api_key(text: str) -> ApiKeyText:
    """Return the parts of a key. Blanks and line ends are for whoever read the text to strip.

    Raises:
        ApiKeyShapeError: something else, for example the key of another product.
        ApiKeyChecksumError: ours, but damaged.
    """
    if not text.startswith(PREFIX):
        raise ApiKeyShapeError("not an API key of this product: it does not begin with seal_")
    match = _SHAPE.fullmatch(text)
    if match is None or checksum_of(match["body"]) != match["checksum"]:
        raise ApiKeyChecksumError(
            "the API key is cut off or mistyped: its checksum does not match", hint="copy the whole key again"
        )
    return ApiKeyText(id=match["id"], secret=Secret(match["secret"]), text=Secret(text))


def is_api_key_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def checksum_of(body: str) -> str:
    """Return the checksum that belongs behind `body`, which is `seal_<id>_<secret>`."""
    return _digits(zlib.crc32(body.encode()), CHECKSUM_CHARS)


def _base62(random_bytes: Callable[[int], bytes], chars: int) -> str:
    # 6 bits hold a digit, so chars * 6 bits hold them all.
    count = -(-chars * 6 // 8) + _SURPLUS_BYTES
    return _digits(int.from_bytes(random_bytes(count), "big"), chars)


def _digits(value: int, chars: int) -> str:
    found = []
    for _ in range(chars):
        value, digit = divmod(value, len(_DIGITS))
        found.append(_DIGITS[digit])
    return "".join(reversed(found))
