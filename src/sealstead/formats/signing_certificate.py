"""Certificates of signing keys: their facts, and whether a verifier will take what is signed with them.

RFC 5280. Checked at import and again whenever the key is loaded: the extended key usage for code signing (4.2.1.12), key usage
(4.2.1.3), that it is no authority's certificate (4.2.1.9), the period, that each of the chain issued the one before. Whom to
trust is not asked here: the verifier's roots are the verifier's affair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealstead.clock import moment_text
from sealstead.errors import ExpiredError, InputError, ParseError, VerificationError

E = TypeVar("E", bound=x509.ExtensionType)

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""Above, one signature takes so long that it serves nobody but who wants the server busy."""
_MAX_CHAIN = 10
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class MalformedCertificateError(ParseError):
    """Bytes that should be a certificate are none, or one that breaks RFC 5280."""

    code = "malformed-certificate"


class UnsupportedKeyError(InputError):
    """A key of a kind, size or curve that is not signed with here."""

    code = "unsupported-key"


class UnsuitableCertificateError(VerificationError):
    """A good certificate, but not one to sign code with."""

    code = "unsuitable-certificate"


class CertificateKeyMismatchError(VerificationError):
    """The certificate speaks of another key."""

    code = "certificate-key-mismatch"


class BrokenChainError(VerificationError):
    """A certificate of the chain did not issue the one before it, or is no authority's."""

    code = "broken-chain"


class CertificatePeriodError(ExpiredError):
    """The certificate's period is over, or has not begun."""

    code = "certificate-period"


@dataclass(frozen=True, kw_only=True)
class CertificateFacts:
    """`not_after` is the certificate's own last second; here it is taken as the first one that is too late."""

    subject: str
    issuer: str
    serial: str
    thumbprint: str
    thumbprint_sha256: str
    not_before: datetime
    not_after: datetime
    algorithm: str
    public_key_der: bytes
    common_name: str
    self_issued: bool


def certificate_facts(der: bytes) -> CertificateFacts:
    """Return what is said about the certificate.

    Raises:
        MalformedCertificateError
        UnsupportedKeyError: its key is of a kind that nothing is signed with here.
    """
    certificate = _load(der)
    try:
        subject, issuer = certificate.subject, certificate.issuer
        key = certificate.public_key()
        names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return CertificateFacts(
            subject=subject.rfc4514_string(),
            issuer=issuer.rfc4514_string(),
            serial=f"{certificate.serial_number:x}",
            thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
            thumbprint_sha256=hashlib.sha256(der).hexdigest().upper(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            algorithm=algorithm_of(key),
            public_key_der=_spki(certificate),
            common_name=str(names[0].value) if names else "",
            self_issued=subject == issuer,
        )
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise MalformedCertificateError("the certificate cannot be read") from exc


def algorithm_of(key: object) -> str:
    """Return how a public key is called here.

    Raises:
        UnsupportedKeyError: its kind, size or curve is not signed with.
    """
    if isinstance(key, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise UnsupportedKeyError(
                f"an RSA key of {key.key_size} bits is not signed with",
                hint=f"it has {MIN_RSA_BITS} to {MAX_RSA_BITS}",
            )
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    raise UnsupportedKeyError(f"keys of the kind {type(key).__name__.lstrip('_')} are not signed with")


def check_signing_certificate(der: bytes, *, public_key_der: bytes) -> None:
    """Return if code may be signed with it, and with this key.

    Raises:
        MalformedCertificateError, UnsuitableCertificateError, CertificateKeyMismatchError
    """
    certificate = _load(der)
    try:
        # Public keys are no secrets.
        if _spki(certificate) != public_key_der:
            raise CertificateKeyMismatchError("the certificate does not belong to the private key")
        extensions = certificate.extensions
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as exc:
        raise MalformedCertificateError("the certificate cannot be read") from exc
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise UnsuitableCertificateError(
            "the certificate is not for code signing (extended key usage codeSigning is missing)"
        )
    usage = _extension(extensions, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise UnsuitableCertificateError("the certificate's key usage does not allow digital signatures")
    basic = _extension(extensions, x509.BasicConstraints)
    if basic is not None and basic.ca:
        raise UnsuitableCertificateError("the certificate is that of an authority, not of a signer")


def check_period(not_before: datetime | None, not_after: datetime | None, at: datetime) -> None:
    """Return if `at` is within [not_before, not_after).

    Raises:
        CertificatePeriodError
    """
    if not_before is not None and at < not_before:
        raise CertificatePeriodError(f"the certificate is not valid before {moment_text(not_before)}")
    if not_after is not None and at >= not_after:
        raise CertificatePeriodError(f"the certificate expired on {moment_text(not_after)}")


def order_chain(leaf: bytes, others: Sequence[bytes], *, at: datetime) -> tuple[bytes, ...]:
    """Return those of `others` that lead from `leaf` upwards, nearest first. What does not belong is left out.

    Raises:
        BrokenChainError: a certificate that names itself as the issuer of the one before is not: another key signed it, it is
            no authority's, or its period is over.
    """
    found: list[bytes] = []
    current = _load(leaf)
    left = {der: _load(der) for der in others if der != leaf}
    while current.issuer != current.subject and len(found) < _MAX_CHAIN:
        named = [der for der, one in left.items() if one.subject == current.issuer]
        issuers = [der for der in named if _issued(left[der], current)]
        if named and not issuers:
            raise BrokenChainError(
                f"{current.issuer.rfc4514_string()} of the chain did not issue the certificate below it"
            )
        if not issuers:
            break
        current = left.pop(issuers[0])
        _check_authority(current, at)
        found.append(issuers[0])
    return tuple(found)


def chain_period(chain: Sequence[bytes]) -> tuple[datetime | None, datetime | None]:
    """Return from when and until when every certificate of a chain is valid; nothing for an empty one.

    Raises:
        MalformedCertificateError
    """
    loaded = [_load(der) for der in chain]
    if not loaded:
        return None, None
    return max(one.not_valid_before_utc for one in loaded), min(one.not_valid_after_utc for one in loaded)


def public_key_of(der: bytes) -> bytes:
    """Return its SubjectPublicKeyInfo (DER).

    Raises:
        MalformedCertificateError
    """
    try:
        return _spki(_load(der))
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise MalformedCertificateError("the certificate cannot be read") from exc


def is_self_issued(der: bytes) -> bool:
    """Whether the certificate ends its chain."""
    certificate = _load(der)
    return certificate.issuer == certificate.subject


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_authority(certificate: x509.Certificate, at: datetime) -> None:
    name = certificate.subject.rfc4514_string()
    try:
        basic = _extension(certificate.extensions, x509.BasicConstraints)
        usage = _extension(certificate.extensions, x509.KeyUsage)
    except (ValueError, x509.DuplicateExtension) as exc:
        raise MalformedCertificateError("a certificate of the chain cannot be read") from exc
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        raise BrokenChainError(f"{name} of the chain is not the certificate of an authority")
    if not certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc:
        raise BrokenChainError(f"{name} of the chain has expired, or is not valid yet")


def _extension(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _load(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Read now, what would else fail in the middle of a check.
        certificate.subject, certificate.issuer  # noqa: B018
    except (ValueError, TypeError) as exc:
        raise MalformedCertificateError("the certificate cannot be read") from exc
    return certificate


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
