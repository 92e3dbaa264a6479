"""Put a certificate and its chain into a row, after looking whether code may be signed with them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from sealstead.formats.signing_certificate import (
    CertificateKeyMismatchError,
    certificate_facts,
    check_period,
    check_signing_certificate,
    is_self_issued,
    order_chain,
    public_key_of,
)
from sealstead.server.signing.errors import CertificateExistsError
from sealstead.server.signing.models import Certificate

_SUBJECT_LENGTH = 1000


def put_certificate(
    row: Certificate,
    certificates: Sequence[bytes],
    *,
    public_key_der: bytes,
    at: datetime,
    check: bool = True,
) -> tuple[str, ...]:
    """Set the columns of `row` from the certificate of `public_key_der` among `certificates` and those that issued it.

    The caller seals and saves. `check` is off for the test authority alone. Returns warnings.

    Raises:
        CertificateKeyMismatchError: none of them is of this key.
        UnsuitableCertificateError, CertificatePeriodError, BrokenChainError, MalformedCertificateError: not to sign with.
        CertificateExistsError: this very certificate is in another row.
    """
    found = {der: certificate_facts(der) for der in _own(certificates, public_key_der)}
    if not found:
        raise CertificateKeyMismatchError("none of the certificates belongs to the private key")
    # A file may hold the old and the renewed one of the same key.
    own, facts = max(found.items(), key=lambda one: one[1].not_after)
    if check:
        check_signing_certificate(own, public_key_der=public_key_der)
        check_period(facts.not_before, facts.not_after, at)
    chain = order_chain(own, certificates, at=at)
    if Certificate.objects.filter(thumbprint_sha256=facts.thumbprint_sha256).exclude(pk=row.pk).exists():
        raise CertificateExistsError(f"the certificate {facts.thumbprint} is here already")
    row.certificate, row.chain = own, [base64.b64encode(der).decode() for der in chain]
    row.csr = None
    row.subject, row.issuer = facts.subject[:_SUBJECT_LENGTH], facts.issuer[:_SUBJECT_LENGTH]
    row.serial, row.algorithm = facts.serial, facts.algorithm
    row.thumbprint, row.thumbprint_sha256 = facts.thumbprint, facts.thumbprint_sha256
    row.not_before, row.not_after = facts.not_before, facts.not_after
    return tuple(_warnings(own, chain)) if check else ()


def _own(certificates: Sequence[bytes], public_key_der: bytes) -> list[bytes]:
    return [der for der in certificates if public_key_of(der) == public_key_der]


def _warnings(own: bytes, chain: Sequence[bytes]) -> list[str]:
    if is_self_issued(own):
        return ["the certificate is self-signed: verifiers trust it only if they were told to"]
    if not chain:
        return [
            "the certificate of its issuer is missing: verifiers that do not know it will refuse signatures"
        ]
    return []
