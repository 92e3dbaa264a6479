"""Certificates of every kind for tests of the signing server: a root, an issuer, leaves that are good or flawed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
CODE = (ExtendedKeyUsageOID.CODE_SIGNING,)
TLS = (ExtendedKeyUsageOID.SERVER_AUTH,)


@dataclass(frozen=True)
class Issued:
    key: Any
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def chain_ders(self) -> tuple[bytes, ...]:
        return tuple(one.public_bytes(serialization.Encoding.DER) for one in self.chain)

    @property
    def public_key_der(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)

    def pem(self, *, key: bool = True, chain: bool = True) -> bytes:
        parts = [self.certificate, *(self.chain if chain else ())]
        text = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in parts)
        return (self.key_pem if key else b"") + text

    def pfx(self, password: str = "") -> bytes:
        how = (
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption()
        )
        return pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, self.chain, how)


def private_pem(key: Any, password: str = "") -> bytes:
    how = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    text: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    return text


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def issue(
    name: str,
    *,
    by: Issued | None = None,
    key: Any = None,
    ca: bool | None = None,
    purposes: tuple[Any, ...] | None = CODE,
    usage: dict[str, bool] | None = None,
    begin: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> Issued:
    """Issue a certificate. `ca` None: no basic constraints at all; `purposes` None: no extended key usage."""
    key = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.issuer_name(by.certificate.subject if by else subject)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if usage is not None:
        none = dict.fromkeys(
            (
                *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
                *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            ),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(**(none | usage)), critical=True)
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    return Issued(key, certificate, (by.certificate, *by.chain) if by else ())


@cache
def root() -> Issued:
    return issue("Test Root", ca=True, purposes=None, begin=NOW - 9 * YEAR, end=NOW + 9 * YEAR)


@cache
def issuer() -> Issued:
    return issue("Test Issuer", by=root(), ca=True, purposes=None, usage={"key_cert_sign": True})


@cache
def leaf() -> Issued:
    """A good one: root, issuer, leaf."""
    return issue("Harbour Ltd", by=issuer(), ca=False, usage={"digital_signature": True})
