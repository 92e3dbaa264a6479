"""The few facts of an X.509 certificate that a signature is made and matched by (RFC 5280, section 4.1).

Bytes as they stand: an issuer is compared as it was written, never decoded. What a certificate may be used for, and
whether it holds, is for `cryptography` to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from sealstead.formats.der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    MalformedDerError,
    children,
    only,
    read_oid,
    read_tlv,
    walk,
    whole,
)

KeyKind = Literal["rsa", "ec"]

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"

_VERSION, _EXTENSIONS = 0xA0, 0xA3
_SUBJECT_KEY_ID = "2.5.29.14"
_KINDS: dict[str, KeyKind] = {RSA_ENCRYPTION: "rsa", EC_PUBLIC_KEY: "ec"}
_WHAT = "a certificate"


class CertificateNames(NamedTuple):
    """Each encoded as it stands in the certificate."""

    issuer: bytes
    serial: bytes
    subject: bytes
    key_algorithm: str


@lru_cache(maxsize=256)
def certificate_names(certificate_der: bytes) -> CertificateNames:
    """Raises MalformedDerError if it is no certificate."""
    data = certificate_der
    outer = walk(data, whole(data, _WHAT), _WHAT)
    tbs = walk(data, outer.take(SEQUENCE), _WHAT)
    outer.take(SEQUENCE)
    outer.take(BIT_STRING)
    outer.done()
    tbs.find(_VERSION)
    serial = tbs.take(INTEGER)
    tbs.take(SEQUENCE)
    issuer = tbs.take(SEQUENCE)
    tbs.take(SEQUENCE)
    subject = tbs.take(SEQUENCE)
    key = walk(data, tbs.take(SEQUENCE), "the key of a certificate")
    algorithm = read_oid(data, read_tlv(data, key.take(SEQUENCE).header))
    return CertificateNames(issuer.raw(data), serial.raw(data), subject.raw(data), algorithm)


def subject_key_id(certificate_der: bytes) -> bytes | None:
    """Return the identifier of the key, by which some signers name their certificate (RFC 5280, section 4.2.1.2)."""
    data = certificate_der
    tbs = list(children(data, read_tlv(data, whole(data, _WHAT).header)))
    if not tbs or tbs[-1].tag != _EXTENSIONS:
        return None
    for extension in children(data, only(data, tbs[-1], "the extensions of a certificate")):
        parts = list(children(data, extension))
        if parts and read_oid(data, parts[0]) == _SUBJECT_KEY_ID:
            value = parts[-1].content(data)
            return whole(value, "a key identifier", tag=OCTET_STRING).content(value)
    return None


def issuer_and_serial(certificate_der: bytes) -> tuple[bytes, bytes]:
    """Return what a signature names its certificate by. Raises MalformedDerError if it is no certificate."""
    names = certificate_names(certificate_der)
    return names.issuer, names.serial


def key_kind_of(certificate_der: bytes) -> KeyKind:
    """Raises MalformedDerError if it is no certificate, or one for a kind of key that signs no code."""
    algorithm = certificate_names(certificate_der).key_algorithm
    if (kind := _KINDS.get(algorithm)) is None:
        raise MalformedDerError(f"a certificate for a kind of key that signs no code: {algorithm}")
    return kind
