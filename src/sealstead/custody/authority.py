"""Certificates that are made here: requests for an authority elsewhere, and the built-in test authority.

The test authority exists so that a first signature takes a minute. Everything it issues says so in its names: nobody trusts it
who was not told to, and nobody should outside of a test. RFC 2986 (requests), RFC 5280 (certificates).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealstead.custody.signers import SoftwareSigner
from sealstead.errors import InputError

TEST_MARK: Final = "TEST - do not trust"
ROOT_LIFE: Final = timedelta(days=3650)
BACKDATED: Final = timedelta(minutes=5)
"""Clocks of verifiers may be a little behind."""
_MAX_NAME: Final = 200


class InvalidSubjectError(InputError):
    """The subject is not a distinguished name as RFC 4514 writes it."""

    code = "invalid-subject"


def parse_subject(text: str) -> x509.Name:
    """Read `CN=Harbour Ltd,O=Harbour,C=SE`, or a bare name, which becomes the common name.

    Raises:
        InvalidSubjectError
    """
    text = text.strip()
    hint = "write it as CN=Harbour Ltd,O=Harbour Ltd,C=SE"
    if not text or len(text) > _MAX_NAME or not text.isprintable():
        raise InvalidSubjectError("the subject is empty, too long, or holds control characters", hint=hint)
    try:
        if "=" not in text:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        return x509.Name.from_rfc4514_string(text)
    except ValueError:
        raise InvalidSubjectError(f"{text[:80]!r} is not a subject", hint=hint) from None


def make_request(signer: SoftwareSigner, subject: x509.Name) -> bytes:
    """Return a certificate request (DER) for a code-signing certificate."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(_SIGNER_USAGE, critical=True)
    builder = builder.add_extension(_SIGNER_PURPOSE, critical=False)
    return builder.sign(signer.key, _hash_for(signer)).public_bytes(serialization.Encoding.DER)


def make_test_root(signer: SoftwareSigner, *, at: datetime) -> bytes:
    """Return the self-signed certificate (DER) of the test authority."""
    # Two servers' authorities must not pass for one another in a verifier's list.
    number = f"{x509.random_serial_number():x}"[:8]
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Sealstead test authority {number}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEST_MARK),
        ]
    )
    builder = _builder(name, name, signer, not_before=at - BACKDATED, not_after=at + ROOT_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_AUTHORITY_USAGE, critical=True)
    return _signed(builder, signer)


def issue_test_certificate(
    root: SoftwareSigner,
    root_der: bytes,
    signer: SoftwareSigner,
    subject: x509.Name,
    *,
    at: datetime,
    life: timedelta,
) -> bytes:
    """Return a code-signing certificate (DER) of the test authority; its subject says what it is. Never outlives the root."""
    issuer = x509.load_der_x509_certificate(root_der)
    marked = x509.Name([*subject, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEST_MARK)])
    builder = _builder(
        marked,
        issuer.subject,
        signer,
        not_before=at - BACKDATED,
        not_after=min(at + life, issuer.not_valid_after_utc),
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_SIGNER_USAGE, critical=True)
    builder = builder.add_extension(_SIGNER_PURPOSE, critical=False)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
    )
    return _signed(builder, root)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    signer: SoftwareSigner,
    *,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    public = signer.key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(not_before).not_valid_after(not_after)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _signed(builder: x509.CertificateBuilder, signer: SoftwareSigner) -> bytes:
    return builder.sign(signer.key, _hash_for(signer)).public_bytes(serialization.Encoding.DER)


def _hash_for(signer: SoftwareSigner) -> hashes.SHA256 | None:
    return None if isinstance(signer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _usage(*, sign: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


_SIGNER_USAGE: Final = _usage(sign=True, authority=False)
_AUTHORITY_USAGE: Final = _usage(sign=False, authority=True)
_SIGNER_PURPOSE: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
