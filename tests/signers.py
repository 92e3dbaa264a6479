"""A certificate authority for tests of code signing: a root, signers below it, and what their keys make.

Keys, serial numbers and signatures are the same in all runs of a month, so that what a test cuts off, changes or looks for
in them is the same. Only an RSA key whose name has no primes is a new one, which takes some hundredths of a second.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealstead.formats.authenticode import Kind, assemble, to_be_signed
from sealstead.formats.cms import (
    ID_DATA,
    SignerChain,
    build_signed_data,
    detached_attributes,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KeyName = Literal["rsa", "ec"]

NOW = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
"""The begin of this month: other programs look at the clock of the machine, and one run is to be as another."""
HASHES = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


@dataclass(frozen=True)
class Holder:
    """A certificate and its key."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def kind(self) -> KeyName:
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ec"

    def sign(self, data: bytes, alg: str = "SHA256") -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), HASHES[alg])
        return self.key.sign(data, ec.ECDSA(HASHES[alg], deterministic_signing=True))


_asked: Counter[str] = Counter()
_LINES = (Path(__file__).parent / "vectors" / "primes.txt").read_text().splitlines()[1:]
_FOUND = [int(line, 16) for line in _LINES]
_PRIMES = {"Test Signer": (_FOUND[0], _FOUND[1]), "Test Time": (_FOUND[2], _FOUND[3])}
"""By the name in the certificate."""


def _number(what: str) -> int:
    """Return a number below 2^152: another one each time, in the same order each run."""
    _asked[what] += 1
    return int.from_bytes(hashlib.sha256(f"{what} {_asked[what]}".encode()).digest()[:19], "big") | 1 << 150


def new_key(kind: KeyName, name: str) -> Key:
    if kind == "rsa":
        p, q = _PRIMES.get(name, (0, 0))
        if not p:
            return rsa.generate_private_key(65537, 2048)
        d = rsa.rsa_recover_private_exponent(65537, p, q)
        facts = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
        return rsa.RSAPrivateNumbers(p, q, d, *facts, rsa.RSAPublicNumbers(65537, p * q)).private_key()
    return ec.derive_private_key(_number(f"key of {name}"), ec.SECP256R1())


@cache
def root(kind: KeyName = "ec", name: str = "Test Root") -> Holder:
    """A root that may issue: valid from ten years before `NOW` to ten years after."""
    return issue(None, kind, name, before=timedelta(days=3650), after=timedelta(days=3650))


@cache
def leaf(kind: KeyName = "ec", name: str = "Test Signer") -> Holder:
    """A code-signing certificate below `root()`, valid for a year before and after `NOW`."""
    return issue(root(), kind, name)


@cache
def authority(name: str = "Test Time") -> Holder:
    """A time-stamp authority below `root()`."""
    return issue(root(), "rsa", name, usage=ExtendedKeyUsageOID.TIME_STAMPING, critical_usage=True)


def issue(
    issuer: Holder | None,
    kind: KeyName,
    name: str,
    *,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.CODE_SIGNING,
    critical_usage: bool = False,
    before: timedelta = timedelta(days=365),
    after: timedelta = timedelta(days=365),
    is_authority: bool = False,
    authority_usage: x509.ObjectIdentifier | None = None,
    may_sign: bool | None = None,
    may_issue: bool | None = None,
) -> Holder:
    """Return a new certificate; without an issuer a root. `may_…` say otherwise than its kind in its key usage."""
    key = new_key(kind, name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuing = issuer.key if issuer else key
    can_issue = issuer is None or is_authority
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(_number(f"certificate of {name}"))
        .not_valid_before(NOW - before)
        .not_valid_after(NOW + after)
        .add_extension(x509.BasicConstraints(ca=can_issue, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not can_issue if may_sign is None else may_sign,
                key_cert_sign=can_issue if may_issue is None else may_issue,
                crl_sign=can_issue,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if can_issue:
        usage = authority_usage
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=critical_usage)
    same = True if isinstance(issuing, ec.EllipticCurvePrivateKey) else None
    return Holder(key, builder.sign(issuing, hashes.SHA256(), ecdsa_deterministic=same))


def chain(holder: Holder, *above: Holder) -> SignerChain:
    return SignerChain(holder.der, tuple(one.der for one in above))


def signature(
    digest: bytes,
    *,
    kind: Kind = "pe",
    alg: str = "SHA256",
    holder: Holder | None = None,
    above: tuple[Holder, ...] = (),
    description: str | None = None,
    url: str | None = None,
) -> bytes:
    """Return an Authenticode signature over a digest."""
    holder = holder or leaf()
    to_sign = to_be_signed(kind, alg, digest, description, url)
    return assemble(to_sign, holder.sign(to_sign.attributes, alg), chain(holder, *above))


def detached(
    digest: bytes, *, alg: str = "SHA256", holder: Holder | None = None, above: tuple[Holder, ...] = ()
) -> bytes:
    """Return a detached signature (`.p7s`) over a digest."""
    holder = holder or leaf()
    attributes = detached_attributes(alg, digest)
    return build_signed_data(
        content=None,
        content_type_oid=ID_DATA,
        digest_alg=alg,
        signed_attrs=attributes,
        signature=holder.sign(attributes, alg),
        signer=chain(holder, *above),
        key_kind=holder.kind,
    )
