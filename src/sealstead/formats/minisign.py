"""minisign signatures: read, write, make and check them.

Specification: https://jedisct1.github.io/minisign/ ("Signature format"). Kind `ED` signs the BLAKE2b-512 digest of
the message, kind `Ed` (legacy) the message itself; a second, global signature covers the first and the trusted
comment.

Rules:
  * we make `ED` only, and check what we made before it leaves: a fault in the machine must not give away the key;
  * the kind is covered by neither signature, and an `ED` signature verifies as a legacy one of the 64 bytes of the
    digest. Legacy is therefore refused unless asked for, and for messages of 64 bytes always.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from sealstead.formats.minisign_key import (
    PublicKey,
    ScryptLimits,
    SecretKey,
    SecretKeyFile,
    make_secret_key,
    matches_key_id,
    parse_public_key,
    parse_secret_key,
    serialize_public_key,
    serialize_secret_key,
)
from sealstead.formats.minisign_text import (
    KEY_ID_BYTES,
    MAX_COMMENT_BYTES,
    MAX_TRUSTED_COMMENT_BYTES,
    TRUSTED,
    UNTRUSTED,
    BadSignatureError,
    CommentError,
    DamagedKeyError,
    KeyIdError,
    LegacySignatureError,
    MinisignFormatError,
    PassphraseNeededError,
    WrongKeyError,
    WrongPassphraseError,
    check_comment,
    comment_of,
    decode_line,
    encode_line,
    parse_key_id,
    shown_key_id,
    text_lines,
)
from sealstead.primitives import blake2b
from sealstead.record import Record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = [
    "BadSignatureError",
    "CommentError",
    "DamagedKeyError",
    "KeyIdError",
    "LegacySignatureError",
    "MinisignFormatError",
    "PassphraseNeededError",
    "PublicKey",
    "ScryptLimits",
    "SecretKey",
    "SecretKeyFile",
    "Signature",
    "WrongKeyError",
    "WrongPassphraseError",
    "digest_of",
    "make_secret_key",
    "matches_key_id",
    "parse_key_id",
    "parse_public_key",
    "parse_secret_key",
    "parse_signature",
    "serialize_public_key",
    "serialize_secret_key",
    "serialize_signature",
    "sign_bare",
    "sign_digest",
    "verify_bare",
    "verify_digest",
    "verify_message",
]

DIGEST_BYTES = 64
SIGNATURE_BYTES = 64
DEFAULT_COMMENT = "signature from minisign secret key"

_PREHASHED = b"ED"
_LEGACY = b"Ed"
_LINES = 4
_WHAT = "a minisign signature"


class Signature(Record):
    prehashed: bool
    key_id: bytes
    signature: bytes
    untrusted_comment: str
    trusted_comment: str
    global_signature: bytes

    @property
    def id(self) -> str:
        """The id of the key that it says it was made with."""
        return shown_key_id(self.key_id)


def parse_signature(data: bytes) -> Signature:
    """Return what a `.minisig` file holds; nothing in it is proved yet.

    Raises:
        MinisignFormatError: it is none.
    """
    lines = text_lines(data, _WHAT)
    if len(lines) != _LINES:
        raise MinisignFormatError(f"not {_WHAT}", hint="a .minisig file has four lines")
    untrusted = comment_of(lines[0], UNTRUSTED, MAX_COMMENT_BYTES, _WHAT)
    body = decode_line(lines[1], _WHAT)
    trusted = comment_of(lines[2], TRUSTED, MAX_TRUSTED_COMMENT_BYTES, _WHAT)
    over_all = decode_line(lines[3], _WHAT)
    lengths = (len(body), len(over_all))
    if lengths != (2 + KEY_ID_BYTES + SIGNATURE_BYTES, SIGNATURE_BYTES) or body[:2] not in (
        _PREHASHED,
        _LEGACY,
    ):
        raise MinisignFormatError(f"not {_WHAT} of a known kind")
    return Signature(
        prehashed=body[:2] == _PREHASHED,
        key_id=body[2:10],
        signature=body[10:],
        untrusted_comment=untrusted,
        trusted_comment=trusted,
        global_signature=over_all,
    )


def serialize_signature(signature: Signature) -> bytes:
    kind = _PREHASHED if signature.prehashed else _LEGACY
    return (
        f"{UNTRUSTED}{signature.untrusted_comment}\n"
        f"{encode_line(kind + signature.key_id + signature.signature)}\n"
        f"{TRUSTED}{signature.trusted_comment}\n"
        f"{encode_line(signature.global_signature)}\n"
    ).encode()


def digest_of(message: bytes | memoryview) -> bytes:
    """Return the digest that `ED` signs: BLAKE2b-512 (RFC 7693)."""
    return blake2b(message).digest()


def sign_digest(
    key: SecretKey, digest: bytes, *, trusted_comment: str, untrusted_comment: str = DEFAULT_COMMENT
) -> Signature:
    """Return the signature of the message with this BLAKE2b-512 digest.

    Raises:
        CommentError: a comment that the file cannot carry.
        BadSignatureError: what was made does not verify; it is not handed out.
    """
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a BLAKE2b-512 digest has 64 bytes")
    check_comment(trusted_comment, MAX_TRUSTED_COMMENT_BYTES)
    check_comment(untrusted_comment, MAX_COMMENT_BYTES)
    made = _sign(key, digest)
    signature = Signature(
        prehashed=True,
        key_id=key.public.key_id,
        signature=made,
        untrusted_comment=untrusted_comment,
        trusted_comment=trusted_comment,
        global_signature=_sign(key, made + trusted_comment.encode()),
    )
    verify_digest(key.public, digest, signature)
    return signature


def sign_bare(key: SecretKey, message: bytes) -> bytes:
    """Return 64 bytes: what `ED` signs for `message`, without the global signature. Proofs are made of these."""
    made = _sign(key, digest_of(message))
    verify_bare(key.public, message, made)
    return made


def verify_bare(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Raises BadSignatureError unless `sign_bare` with this key's secret half made `signature` for `message`."""
    _verify(key, digest_of(message), signature, "the signature does not fit")


def verify_digest(key: PublicKey, digest: bytes, signature: Signature) -> None:
    """Check a signature of kind `ED` against the BLAKE2b-512 digest of the message.

    Raises:
        WrongKeyError: made with another key.
        LegacySignatureError: of the legacy kind, for which the whole message would be needed.
        BadSignatureError: it is not of this message, or its trusted comment was changed.
    """
    _check_key(key, signature)
    if not signature.prehashed:
        raise LegacySignatureError("a legacy signature, made over the bytes themselves")
    _verify_both(key, digest, signature)


def verify_message(
    key: PublicKey, message: bytes | memoryview, signature: Signature, *, allow_legacy: bool = False
) -> None:
    """Check a signature of either kind; the legacy one only when asked to.

    Raises:
        WrongKeyError, LegacySignatureError, BadSignatureError: as `verify_digest`.
    """
    if signature.prehashed:
        verify_digest(key, digest_of(message), signature)
        return
    _check_key(key, signature)
    if not allow_legacy:
        raise LegacySignatureError("a legacy signature, made over the bytes themselves")
    if len(message) == DIGEST_BYTES:
        # Relabelled, any ED signature of this key would be a legacy one of the 64 bytes of its digest.
        raise LegacySignatureError("a legacy signature of 64 bytes proves nothing: they may be a digest")
    _verify_both(key, message, signature)


def _check_key(key: PublicKey, signature: Signature) -> None:
    if key.key_id != signature.key_id:
        raise WrongKeyError(f"signed with key {signature.id}, not with {key.id}")


def _verify_both(key: PublicKey, signed: bytes | memoryview, signature: Signature) -> None:
    _verify(key, signed, signature.signature, "the signature does not fit: the file was changed")
    over_all = signature.signature + signature.trusted_comment.encode()
    _verify(key, over_all, signature.global_signature, "the trusted comment was changed")


def _sign(key: SecretKey, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(key.seed.reveal()).sign(message)


def _verify(key: PublicKey, message: bytes | memoryview, signature: bytes, otherwise: str) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        _loaded(key.key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise BadSignatureError(otherwise) from None


@functools.lru_cache(maxsize=16)
def _loaded(key: bytes) -> Ed25519PublicKey:
    """Return a public key, taken apart once for all that it is to check."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key)
