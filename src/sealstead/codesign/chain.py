"""Whether a certificate may be used for a purpose, and leads to a root that is trusted for it (RFC 5280, section 6).

The path is found and checked by `cryptography`; here stands what is asked of it:
  * the last certificate names the purpose (extended key usage), and may make signatures;
  * those above it are authorities, may issue, and where they name purposes, this one is among them;
  * all are valid at the moment that is asked about;
  * the way ends at a root that is trusted for the purpose.

Not here: revocation. No list is fetched and no responder asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sealstead.clock import moment_text
from sealstead.codesign.roots import Roots
from sealstead.errors import ParseError, VerificationError
from sealstead.formats.trust_list import CODE_SIGNING, TIME_STAMPING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ExtensionType
    from cryptography.x509.verification import ClientVerifier, Policy

_ANY_PURPOSE = "2.5.29.37.0"
_NAMES = {CODE_SIGNING: "code signing", TIME_STAMPING: "time-stamping"}
_OPTIONS = {CODE_SIGNING: "--root", TIME_STAMPING: "--timestamp-root"}


class UnreadableCertificateError(ParseError):
    """A certificate that `cryptography` does not take for one."""

    code = "unreadable-certificate"


class CertificatePurposeError(VerificationError):
    """A certificate for something else."""

    code = "certificate-purpose"


class CertificateNotValidError(VerificationError):
    """A certificate outside of its time."""

    code = "certificate-not-valid"


class UntrustedChainError(VerificationError):
    """No way leads from the certificate to a trusted root."""

    code = "untrusted-chain"


def load_certificate(der: bytes) -> Certificate:
    """Raises UnreadableCertificateError: it is none, or breaks the rules of X.509."""
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        # Read now, what would else fail in the middle of a check.
        certificate.extensions, certificate.subject, certificate.issuer  # noqa: B018
    except (
        ValueError,
        TypeError,  # of a name with a unique identifier that is none
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as exc:
        raise UnreadableCertificateError("a certificate cannot be read") from exc
    return certificate


def readable(ders: Iterable[bytes]) -> list[Certificate]:
    """Return those that can be read: what came along may be of any kind, and is only there to help."""
    found = []
    for der in ders:
        try:
            found.append(load_certificate(der))
        except UnreadableCertificateError:
            continue
    return found


def subject_of(certificate: Certificate) -> str:
    """Return the subject for people to read."""
    return certificate.subject.rfc4514_string() or "(no name)"


def check_chain(
    certificate: Certificate,
    others: Iterable[Certificate],
    *,
    roots: Roots,
    purpose: str,
    at: datetime,
) -> list[Certificate]:
    """Return the way from the certificate to its root, both included; `others` may help to find it.

    Raises:
        CertificatePurposeError, CertificateNotValidError, UntrustedChainError: what keeps it from being trusted.
    """
    from cryptography.x509.verification import VerificationError as LibraryError

    check_purpose(certificate, purpose)
    check_time(certificate, at)
    usable = roots.usable(purpose, at=at, issued_at=certificate.not_valid_before_utc)
    if not usable:
        raise UntrustedChainError(
            f"no root is trusted here for {_NAMES[purpose]}", hint=f"name one: {_OPTIONS[purpose]} FILE"
        )
    try:
        return list(_verifier(usable, purpose, at).verify(certificate, list(others)).chain)
    except LibraryError as exc:
        issuer = certificate.issuer.rfc4514_string() or "(no name)"
        raise UntrustedChainError(
            f"no way leads from {subject_of(certificate)} to a trusted root (its issuer: {issuer})",
            hint=f"name the root that it should lead to: {_OPTIONS[purpose]} FILE",
        ) from exc


def check_purpose(certificate: Certificate, purpose: str) -> None:
    """Raises CertificatePurposeError: the certificate does not name the purpose, or may make no signatures."""
    from cryptography import x509

    extensions = certificate.extensions
    try:
        named = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        fits = any(one.dotted_string == purpose for one in named)
    except x509.ExtensionNotFound:
        fits = False
    if not fits:
        raise CertificatePurposeError(
            f"the certificate of {subject_of(certificate)} is not one for {_NAMES[purpose]}"
        )
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise CertificatePurposeError(f"the certificate of {subject_of(certificate)} may make no signatures")


def check_time(certificate: Certificate, at: datetime) -> None:
    """Raises CertificateNotValidError: `at` is outside of its time (both ends included, RFC 5280)."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= at.replace(microsecond=0) <= end:
        word = "was not yet" if at < start else "was no longer"
        raise CertificateNotValidError(
            f"the certificate of {subject_of(certificate)} {word} valid at {moment_text(at)}: "
            f"it is from {moment_text(start)} to {moment_text(end)}"
        )


def _verifier(roots: list[Certificate], purpose: str, at: datetime) -> ClientVerifier:
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

    def is_authority(_: Policy, __: Certificate, extension: ExtensionType) -> None:
        if not isinstance(extension, x509.BasicConstraints) or not extension.ca:
            raise ValueError("not an authority")

    def may_issue(_: Policy, __: Certificate, extension: ExtensionType | None) -> None:
        if isinstance(extension, x509.KeyUsage) and not extension.key_cert_sign:
            raise ValueError("may not issue")

    def is_for_it(_: Policy, __: Certificate, extension: ExtensionType | None) -> None:
        if isinstance(extension, x509.ExtendedKeyUsage):
            named = {one.dotted_string for one in extension}
            if not named & {purpose, _ANY_PURPOSE}:
                raise ValueError("not for this purpose")

    agnostic = Criticality.AGNOSTIC
    authorities = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, agnostic, is_authority)
        .may_be_present(x509.KeyUsage, agnostic, may_issue)
        .may_be_present(x509.ExtendedKeyUsage, agnostic, is_for_it)
    )
    return (
        PolicyBuilder()
        .store(Store(roots))
        .time(at.astimezone(UTC).replace(tzinfo=None, microsecond=0))
        .extension_policies(ee_policy=ExtensionPolicy.permit_all(), ca_policy=authorities)
        .build_client_verifier()
    )
