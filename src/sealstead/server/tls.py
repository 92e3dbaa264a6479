"""Certificates of the server: the operator's own, or a local authority made here.

The local authority (`--tls-self-signed`) is for a first try and for closed networks: whoever trusts `tls/ca.pem` has
checked connections without a public authority. Its key stays in the data directory (0600), and it signs for the
hosts of this server alone (name constraints, RFC 5280 section 4.2.1.10): a stolen key names no other host to
those who trust it. The certificate lives 397 days and is renewed 30 days before its end.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealstead.custody.files import read_private, write_atomically, write_private
from sealstead.errors import KeyUnavailableError
from sealstead.server.config import Config

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)
_CLOCK_SKEW = timedelta(hours=1)


class UnusableCertificateError(KeyUnavailableError):
    """Certificate or key is missing or unreadable, or they do not belong together."""

    code = "unusable-certificate"


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    certificate: Path
    key: Path
    authority: Path | None = None
    """What clients are to trust; None for a certificate of the operator's own."""


def certificate_files(config: Config) -> CertificateFiles | None:
    """Return what the server serves TLS with; the local authority's certificate is made or renewed here."""
    if config.tls_self_signed:
        return local_certificate(config.data_dir / "tls", config.hosts, at=config.clock.now())
    if config.tls_cert and config.tls_key:
        return CertificateFiles(certificate=config.tls_cert, key=config.tls_key)
    return None


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """Return a context that serves with these files: TLS 1.2 and later.

    Raises:
        UnusableCertificateError: missing, unreadable, or key and certificate do not belong together.
    """
    for setting, path in (("tls_cert", files.certificate), ("tls_key", files.key)):
        if not path.exists():
            raise UnusableCertificateError(
                f"{path} is missing", hint=None if files.authority else f"{setting} names it"
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An empty password instead of none: OpenSSL would ask at the terminal for that of an encrypted key.
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as exc:
        reason = (exc.reason or "unknown format").lower().replace("_", " ")
        raise UnusableCertificateError(
            f"{files.certificate} and {files.key} cannot be used: {reason}",
            hint="both in PEM; the key without a passphrase, and the one of this certificate",
        ) from exc
    except OSError as exc:
        raise UnusableCertificateError(f"{files.key}: {exc.strerror}") from exc
    return context


def local_certificate(directory: Path, hosts: list[str], *, at: datetime) -> CertificateFiles:
    """Return a certificate for `hosts` from the local authority in `directory`, both made or renewed if need be.

    Raises:
        KeyUnavailableError: what stands there cannot be used.
    """
    files = CertificateFiles(
        certificate=directory / "server.pem", key=directory / "server.key", authority=directory / "ca.pem"
    )
    names = sorted({host.strip("[]") for host in hosts})
    authority, authority_key = _authority(directory, names, at=at)
    if not _still_good(files, authority, names, at=at):
        _issue(files, authority, authority_key, names, at=at)
    return files


def expires_at(certificate: Path) -> datetime:
    return _load(certificate).not_valid_after_utc


def needs_renewal(certificate: Path, *, at: datetime) -> bool:
    return expires_at(certificate) - at <= RENEW_BEFORE


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 fingerprint as other programs print it, for comparing by eye."""
    return _load(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def _authority(
    directory: Path, names: list[str], *, at: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_file, key_file = directory / "ca.pem", directory / "ca.key"
    if certificate_file.exists() and key_file.exists():
        certificate = _load(certificate_file)
        if certificate.not_valid_after_utc - at > LEAF_LIFE and _permitted(certificate) >= set(names):
            return certificate, _load_key(key_file)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Sealstead local authority {at:%Y-%m-%d}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SKEW)
        .not_valid_after(at + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.NameConstraints(
                permitted_subtrees=[_constraint(name) for name in names], excluded_subtrees=None
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    # The key first: a certificate without its key would be taken for a whole authority after a power cut.
    write_private(key_file, _key_pem(key), replace=True)
    write_atomically(certificate_file, _pem(certificate), mode=0o644, replace=True)
    return certificate, key


def _issue(
    files: CertificateFiles,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: list[str],
    *,
    at: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sealstead server")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SKEW)
        .not_valid_after(at + LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    write_private(files.key, _key_pem(key), replace=True)
    write_atomically(files.certificate, _pem(certificate), mode=0o644, replace=True)


def _still_good(
    files: CertificateFiles, authority: x509.Certificate, names: list[str], *, at: datetime
) -> bool:
    try:
        certificate = _load(files.certificate)
        certificate.verify_directly_issued_by(authority)
        same_key = certificate.public_key() == _load_key(files.key).public_key()
        subject = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (KeyUnavailableError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False  # a half-written pair after a power cut, or one of another authority: made anew
    return (
        same_key
        and set(subject) == {_general_name(name) for name in names}
        and not needs_renewal(files.certificate, at=at)
    )


def _permitted(certificate: x509.Certificate) -> set[str]:
    try:
        limits = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return set()
    return {
        # A single host is kept as a network of one: `127.0.0.1/32`.
        str(tree.value).partition("/")[0]
        for tree in limits.permitted_subtrees or []
    }


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _constraint(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_network(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise UnusableCertificateError(f"{path} is not a certificate in PEM") from exc


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError) as exc:
        raise UnusableCertificateError(f"{path} is not a private key in PEM") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UnusableCertificateError(f"{path} was not made by this server")
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
