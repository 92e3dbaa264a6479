"""Gets the time-stamp of a signature, and believes it only after a look (RFC 3161, section 2.2).

An answer counts when it is granted, is of this signature, answers this request (nonce), is signed by the certificate
that it carries, and that certificate is for time-stamps and was valid at the moment that it states. Whom that
certificate leads to is not asked here: authorities differ, and whoever checks the file decides (`verify`).
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from sealstead.clock import Clock, moment_text
from sealstead.errors import VerificationError
from sealstead.formats.cms import verify_signer
from sealstead.formats.digests import digest_algorithm
from sealstead.formats.tsp import (
    NONCE_BYTES,
    check_answers,
    granted_token,
    make_request,
    parse_response,
    parse_token,
)
from sealstead.net.tsa import Authorities
from sealstead.record import Record

MAX_OFF = timedelta(days=1)
"""Between the authority's clock and ours; one of the two is wrong, and the file would carry the mistake."""
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"


class TimestampCertificateError(VerificationError):
    """A time-stamp by a certificate that is not for time-stamps, or was not valid."""

    code = "timestamp-certificate"


class TimestampClockError(VerificationError):
    """A time-stamp whose moment is far from ours."""

    code = "timestamp-clock"


class Stamp(Record):
    token: bytes
    at: datetime


class Stamper:
    """Asks authorities with one hash algorithm. Safe to be used by several threads."""

    def __init__(self, authorities: Authorities, *, algorithm: str, clock: Clock) -> None:
        """Raises UnknownDigestError."""
        self.authorities = authorities
        self._algorithm = digest_algorithm(algorithm)
        self._clock = clock

    def stamp(self, signature: bytes) -> Stamp:
        """Return a time-stamp of the signature value of a signer.

        Raises:
            NoTimestampError: no authority gave one that holds.
        """
        imprint = self._algorithm.digest(signature)
        # The first bit stays 0: some authorities read a nonce as a signed number of 64 bits.
        nonce = int.from_bytes(os.urandom(NONCE_BYTES), "big") >> 1
        request = make_request(self._algorithm.name, imprint, nonce=nonce)
        return self.authorities.ask(request, lambda answer: self._checked(answer, imprint, nonce))

    def _checked(self, answer: bytes, imprint: bytes, nonce: int) -> Stamp:
        der = granted_token(parse_response(answer))
        token = parse_token(der)
        check_answers(token, alg=self._algorithm.name, imprint=imprint, nonce=nonce)
        _check_certificate(verify_signer(token.signed_data), token.at)
        if abs(token.at - self._clock.now()) > MAX_OFF:
            raise TimestampClockError(f"the time-stamp says {moment_text(token.at)}, and it is not so here")
        return Stamp(token=der, at=token.at)


def _check_certificate(der: bytes, at: datetime) -> None:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension) as exc:
        raise TimestampCertificateError(
            "the certificate of the time-stamp server is not for time-stamps"
        ) from exc
    # RFC 3161, section 2.3: this usage, no other, and critical.
    if not usage.critical or [one.dotted_string for one in usage.value] != [_TIME_STAMPING]:
        raise TimestampCertificateError(
            "the certificate of the time-stamp server is not for time-stamps alone"
        )
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise TimestampCertificateError(
            f"the certificate of the time-stamp server was not valid at {moment_text(at)}, its own time"
        )
