"""What all minisign files share: comment lines, strict base64, key ids, and what can be wrong with them.

Specification: https://jedisct1.github.io/minisign/ ("Public key format", "Secret key format", "Signature format"),
limits as in minisign's own source. One value has one text: surplus bits, blanks and foreign characters are refused,
so that nobody can make a second text of the same key or signature.
"""

from __future__ import annotations

import binascii
import re

from sealstead.errors import InputError, KeyUnavailableError, ParseError, VerificationError

KEY_ID_BYTES = 8
MAX_COMMENT_BYTES = 1024
"""`COMMENTMAXBYTES`."""
MAX_TRUSTED_COMMENT_BYTES = 8192
"""`TRUSTEDCOMMENTMAXBYTES`."""
MAX_FILE_BYTES = 16_384
"""More than the two longest comments and all the base64 of any minisign file."""

UNTRUSTED = "untrusted comment: "
TRUSTED = "trusted comment: "

_KEY_ID = r"[0-9A-Fa-f]{1,16}"


class MinisignFormatError(ParseError):
    """The bytes are no minisign file of the wanted kind. The message never repeats them: they may be a secret."""

    code = "minisign-format"


class DamagedKeyError(ParseError):
    """A secret key whose parts do not fit each other: signatures made with it would be worthless."""

    code = "damaged-key"


class PassphraseNeededError(KeyUnavailableError):
    """The secret key is encrypted, and no passphrase was given."""

    code = "passphrase-needed"


class WrongPassphraseError(KeyUnavailableError):
    """The passphrase does not open the secret key (or its file is damaged: nobody can tell these apart)."""

    code = "wrong-passphrase"


class KeyMemoryError(KeyUnavailableError):
    """The machine has not the memory that the key's scrypt limits ask for."""

    code = "key-memory"


class BadSignatureError(VerificationError):
    """The signature does not belong to these bytes and this key."""

    code = "bad-signature"


class WrongKeyError(VerificationError):
    """The signature was made with another key than the one it is checked against."""

    code = "wrong-key"


class LegacySignatureError(VerificationError):
    """A signature of the legacy kind, over the bytes themselves, where only hashed ones are accepted."""

    code = "legacy-signature"


class CommentError(InputError):
    """A comment that no minisign file can carry."""

    code = "minisign-comment"


class KeyIdError(InputError):
    """Not the id of a minisign key."""

    code = "key-id"


def text_lines(data: bytes, what: str) -> list[str]:
    """Return the lines of a minisign file, without line ends and without empty lines at its end.

    Raises:
        MinisignFormatError: too long, or not UTF-8.
    """
    if len(data) > MAX_FILE_BYTES:
        raise MinisignFormatError(f"not {what}: too long")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MinisignFormatError(f"not {what}: not text in UTF-8") from None
    # Not `splitlines`: it also breaks at characters that may stand in a comment.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    return lines


def comment_of(line: str, prefix: str, longest: int, what: str) -> str:
    """Return what stands behind `prefix`.

    Raises:
        MinisignFormatError: another prefix, too long, or unprintable characters, which could rewrite what a
            terminal shows.
    """
    if not line.startswith(prefix):
        raise MinisignFormatError(f"not {what}: a line does not begin with {prefix.strip()!r}")
    comment = line.removeprefix(prefix)
    if len(comment.encode()) > longest or not is_printable(comment):
        raise MinisignFormatError(f"not {what}: a comment is too long or has unprintable characters")
    return comment


def check_comment(comment: str, longest: int) -> str:
    """Return `comment` if a minisign file can carry it.

    Raises:
        CommentError: it cannot.
    """
    try:
        too_long = len(comment.encode()) > longest
    except UnicodeEncodeError:
        raise CommentError("the comment is not text in UTF-8") from None
    if too_long:
        raise CommentError("the comment is too long", hint=f"at most {longest} bytes fit")
    if not is_printable(comment):
        raise CommentError("the comment has characters that cannot be printed", hint="write it in one line")
    return comment


def is_printable(text: str) -> bool:
    """As minisign 0.12 judges comments: no control characters but the tab."""
    return not any(
        (char < " " and char != "\t") or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"
        for char in text
    )


def decode_line(line: str, what: str) -> bytes:
    """Return what a line of base64 stands for (RFC 4648, section 4, canonical).

    Raises:
        MinisignFormatError: anything but the one text of some bytes.
    """
    try:
        raw = line.encode("ascii")
        data = binascii.a2b_base64(raw, strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MinisignFormatError(f"not {what}: a line is cut off or damaged") from None
    # Surplus bits in the last character are ignored by the decoder, also in strict mode.
    if binascii.b2a_base64(data, newline=False) != raw:
        raise MinisignFormatError(f"not {what}: a line is cut off or damaged")
    return data


def encode_line(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def shown_key_id(key_id: bytes) -> str:
    """Return the id as minisign prints it: the bytes read as a little-endian integer, in capital hex."""
    return f"{int.from_bytes(key_id, 'little'):016X}"


def parse_key_id(text: str) -> str:
    """Return the id in 16 capital hex digits; which byte order it was typed in, only a key can tell.

    minisign 0.11 leaves zeros at the front away, so fewer digits are an id too.

    Raises:
        KeyIdError: not hex digits, or too many.
    """
    typed = text.strip().removeprefix("0x")
    if not re.fullmatch(_KEY_ID, typed):
        raise KeyIdError(
            f"{text[:40]!r} is not a key id", hint="copy the 16 hex digits that key-list shows for the key"
        )
    return typed.upper().zfill(KEY_ID_BYTES * 2)
