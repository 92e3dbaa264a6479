"""Signed data of the Cryptographic Message Syntax (RFC 5652; for Authenticode PKCS #7 1.5, RFC 2315).

Making one is in two steps, so that only the key stands between them: `signed_attributes` gives the bytes to sign,
`build_signed_data` puts the result together. `cms_read` reads what others made, `cms_check` says whether it holds.

Rules:
  * the attributes are signed as a SET and stored as [0] (RFC 5652, section 5.4);
  * no signing time: a time-stamp says it, and a claim of ours would only look like one;
  * a foreign structure is never encoded anew: unsigned attributes are spliced in.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sealstead.formats.certificate_names import RSA_ENCRYPTION, KeyKind, issuer_and_serial, key_kind_of
from sealstead.formats.cms_check import (
    BadCmsSignatureError,
    ForeignKeyError,
    SignedDigestError,
    SignerMissingError,
    WeakDigestError,
    verify_signer,
)
from sealstead.formats.cms_read import (
    CONTENT_TYPE,
    ECDSA_WITH,
    ID_DATA,
    ID_SIGNED_DATA,
    MESSAGE_DIGEST,
    MalformedCmsError,
    SignedData,
    SignerInfo,
    add_certificates,
    add_unsigned_attribute,
    parse_signed_data,
)
from sealstead.formats.der import integer, null, octets, oid, seq, set_of, tag
from sealstead.formats.digests import checked_digest, digest_algorithm

__all__ = [
    "ID_DATA",
    "BadCmsSignatureError",
    "ForeignKeyError",
    "KeyKind",
    "MalformedCmsError",
    "SignedData",
    "SignedDigestError",
    "SignerChain",
    "SignerInfo",
    "SignerMissingError",
    "WeakDigestError",
    "add_certificates",
    "add_unsigned_attribute",
    "attribute",
    "build_signed_data",
    "detached_attributes",
    "parse_signed_data",
    "signed_attributes",
    "verify_signer",
]

_VERSION_1 = integer(1)
_STORED = b"\xa0"


class SignerChain(NamedTuple):
    """The signer's certificate, and those between it and a root, nearest first; each in DER."""

    certificate_der: bytes
    chain_ders: tuple[bytes, ...] = ()

    @property
    def key_kind(self) -> KeyKind:
        """Raises MalformedDerError if the certificate is none, or of a kind of key that signs no code."""
        return key_kind_of(self.certificate_der)


def attribute(dotted: str, value: bytes) -> bytes:
    """Return an Attribute with one value, given in DER."""
    return seq(oid(dotted), set_of(value))


def signed_attributes(content_type_oid: str, message_digest: bytes, extra: Iterable[bytes] = ()) -> bytes:
    """Return the SET of attributes that is signed. `extra` are whole attributes (see `attribute`)."""
    return set_of(
        _content_type(content_type_oid),
        attribute(MESSAGE_DIGEST, octets(message_digest)),
        *extra,
    )


def detached_attributes(digest_alg: str, digest: bytes) -> bytes:
    """Return what is signed for a file whose signature stands beside it (`.p7s`).

    Raises:
        UnknownDigestError, DigestLengthError: the digest is not what it says.
    """
    checked_digest(digest_alg, digest)
    return signed_attributes(ID_DATA, digest)


def build_signed_data(
    *,
    content: bytes | None,
    content_type_oid: str,
    digest_alg: str,
    signed_attrs: bytes,
    signature: bytes,
    signer: SignerChain,
    key_kind: KeyKind,
) -> bytes:
    """Return the ContentInfo of one signature.

    `content` is a whole value in DER, or None for a detached signature; `signed_attrs` what `signed_attributes`
    returned and `signature` what the key made of it (PKCS #1 v1.5, or a DER-encoded ECDSA-Sig-Value).
    """
    head, certificates, signer_id = _fixed(signer, digest_alg)
    return seq(
        oid(ID_SIGNED_DATA),
        tag(
            0,
            seq(
                head,
                seq(oid(content_type_oid), tag(0, content))
                if content is not None
                else _bare(content_type_oid),
                certificates,
                set_of(
                    seq(
                        signer_id,
                        _STORED + signed_attrs[1:],
                        _signature_algorithm(key_kind, digest_alg),
                        octets(signature),
                    )
                ),
            ),
        ),
    )


@lru_cache(maxsize=16)
def _content_type(content_type_oid: str) -> bytes:
    return attribute(CONTENT_TYPE, oid(content_type_oid))


@lru_cache(maxsize=16)
def _bare(content_type_oid: str) -> bytes:
    return seq(oid(content_type_oid))


@lru_cache(maxsize=16)
def _signature_algorithm(key_kind: KeyKind, digest_alg: str) -> bytes:
    if key_kind == "rsa":
        return seq(oid(RSA_ENCRYPTION), null())
    return seq(oid(ECDSA_WITH[digest_alg]))


@lru_cache(maxsize=256)
def _fixed(signer: SignerChain, digest_alg: str) -> tuple[bytes, bytes, bytes]:
    """Return the parts that are the same for each signature by one certificate."""
    issuer, serial = issuer_and_serial(signer.certificate_der)
    algorithm = digest_algorithm(digest_alg).identifier
    return (
        _VERSION_1 + set_of(algorithm),
        tag(0, signer.certificate_der, *signer.chain_ders),
        _VERSION_1 + seq(issuer, serial) + algorithm,
    )
