"""Check a time-stamp over a signature (RFC 3161; RFC 5816).

Steps:
  1. the token is one, and its imprint is that of the signature it stands beside;
  2. it is signed with the key of the certificate that its own attributes name (ESSCertID: otherwise another
     certificate for the same key could be put in its place);
  3. that certificate is for time-stamping, for nothing else, and says so critically (RFC 3161, section 2.3);
  4. it led to a trusted root at the moment of the stamp, which is not in the future.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sealstead.clock import moment_text
from sealstead.codesign.chain import (
    CertificatePurposeError,
    check_chain,
    load_certificate,
    readable,
    subject_of,
)
from sealstead.codesign.roots import Roots
from sealstead.errors import VerificationError
from sealstead.formats.cms import verify_signer
from sealstead.formats.cms_check import WeakDigestError
from sealstead.formats.der import OCTET_STRING, SEQUENCE, walk, whole
from sealstead.formats.digests import read_digest_algorithm, same
from sealstead.formats.trust_list import TIME_STAMPING
from sealstead.formats.tsp import TimestampToken, check_answers, parse_token

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_CLOCKS_APART = timedelta(minutes=10)
"""How much the clock of an authority may be ahead of ours."""


class TimestampSignerError(VerificationError):
    """A time-stamp whose certificate is not the one it was made with."""

    code = "timestamp-signer"


class FutureTimestampError(VerificationError):
    """A time-stamp from the future."""

    code = "timestamp-in-future"


@dataclass(frozen=True, kw_only=True)
class CheckedTimestamp:
    at: datetime
    authority: Certificate
    chain: tuple[Certificate, ...]
    """Empty where no roots were asked about."""
    alg: str

    @property
    def authority_name(self) -> str:
        return subject_of(self.authority)


def check_timestamp(
    token_der: bytes,
    signature: bytes,
    *,
    roots: Roots | None,
    now: datetime,
    nonce: int | None = None,
    others: Iterable[Certificate] = (),
) -> CheckedTimestamp:
    """Return the moment at which `signature` (its bytes) was there, as the authority vouches.

    Without `roots` the way to a root is not looked at. `nonce` is that of the request, where one was made.

    Raises:
        VerificationError: one of its kinds, by step.
        ParseError: it is no time-stamp.
    """
    token = parse_token(token_der)
    if not token.alg.strong:
        raise WeakDigestError(f"the time-stamp is over a digest of {token.alg.name}, which proves nothing")
    check_answers(token, alg=token.alg.name, imprint=token.alg.digest(signature), nonce=nonce)
    certificate_der = verify_signer(token.signed_data)
    _check_named(token, certificate_der)
    certificate = load_certificate(certificate_der)
    _check_only_purpose(certificate)
    if token.at > now + _CLOCKS_APART:
        raise FutureTimestampError(f"the time-stamp says {moment_text(token.at)}, which is still to come")
    chain: list[Certificate] = []
    if roots is not None:
        helpers = [*readable(token.signed_data.certificates), *others]
        chain = check_chain(certificate, helpers, roots=roots, purpose=TIME_STAMPING, at=token.at)
    return CheckedTimestamp(at=token.at, authority=certificate, chain=tuple(chain), alg=token.alg.name)


def _check_named(token: TimestampToken, certificate: bytes) -> None:
    """Compare the certificate with the hash of it that was signed (RFC 5035, section 5)."""
    signer = token.signed_data.signer
    for oid, default in ((_SIGNING_CERTIFICATE_V2, "SHA256"), (_SIGNING_CERTIFICATE, "SHA1")):
        value = signer.find_signed(oid)
        if value is None:
            continue
        what = "the certificate that a time-stamp names"
        listed = walk(value, whole(value, what), what).take(SEQUENCE)
        first = walk(value, walk(value, listed, what).take(SEQUENCE), what)
        algorithm = first.find(SEQUENCE) if default == "SHA256" else None
        name = read_digest_algorithm(value, algorithm).name if algorithm else default
        stated = first.take(OCTET_STRING).content(value)
        if not same(hashlib.new(name, certificate, usedforsecurity=False).digest(), stated):
            raise TimestampSignerError("the time-stamp names another certificate than the one beside it")
        return
    raise TimestampSignerError("the time-stamp does not say with which certificate it was made")


def _check_only_purpose(certificate: Certificate) -> None:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        named: list[str] = []
        critical = False
    else:
        named, critical = [one.dotted_string for one in extension.value], extension.critical
    if named != [TIME_STAMPING] or not critical:
        raise CertificatePurposeError(
            f"the certificate of {subject_of(certificate)} is not one for time-stamping alone"
        )
