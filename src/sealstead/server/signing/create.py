"""New signing keys: imported, generated with a request, issued by the test authority, or for minisign.

Rules:
  * the public key decides: one that is here for another profile is refused, whatever certificate comes with it;
  * a certificate is checked before anything is stored: for code signing, valid now, for this key, its chain unbroken;
  * the private key is sealed in memory and nowhere else; no file of it is written.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from sealstead.custody.authority import (
    issue_test_certificate,
    make_request,
    make_test_root,
    parse_subject,
)
from sealstead.custody.key_import import KeyMaterial, read_pem, read_pfx
from sealstead.custody.locate import SEALED
from sealstead.custody.signers import SoftwareSigner, generate_signer, load_signer
from sealstead.formats.minisign import PublicKey, serialize_public_key
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin
from sealstead.server.signing.describe import note
from sealstead.server.signing.errors import KeyBoundError, KeyNotForProfileError
from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.names import free_alias, set_names
from sealstead.server.signing.put_certificate import put_certificate
from sealstead.server.signing.seal import open_key, seal_key

DEFAULT_ALGORITHM: Final = "RSA-3072"
TEST_LIFE: Final = timedelta(days=365)
_KEY_ID_BYTES: Final = 8
_CERTIFIED: Final = ("RSA-", "P-")
"""Verifiers of Authenticode know no Ed25519, and few of CMS do."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """How a new row is called, and for what it signs. A blank alias is made from the certificate."""

    label: str
    profile: Profile = Profile.AUTHENTICODE
    alias: str = ""


@dataclass(frozen=True, kw_only=True)
class By:
    """Who does it, when, from where. `actor` is None for the operator at the command line."""

    actor: User | None
    at: datetime
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Made:
    """`warnings` are sentences for whoever made it: nothing that stopped it."""

    row: Certificate
    warnings: tuple[str, ...] = ()


def import_pfx(data: bytes, password: Secret[str] | None, named: Named, by: By) -> Made:
    """Store the key and certificates of a PKCS#12 file.

    Raises:
        MalformedKeyFileError, WrongKeyFilePasswordError, UnsupportedKeyError, and those of `put_certificate`,
        KeyBoundError, CertificateExistsError, AliasInUseError, InvalidCertificateNameError
    """
    return _import(read_pfx(data, password), named, by, source="pfx")


def import_pem(data: bytes, password: Secret[str] | None, named: Named, by: By) -> Made:
    """Store the key and certificates of a PEM file. Raises as `import_pfx`."""
    return _import(read_pem(data, password), named, by, source="pem")


def request_certificate(subject: str, named: Named, by: By, *, algorithm: str = DEFAULT_ALGORITHM) -> Made:
    """Make a key and the request (`row.csr`) for its certificate; `load_certificate` takes what was issued.

    Raises:
        InvalidSubjectError, UnsupportedKeyError, KeyNotForProfileError, AliasInUseError, InvalidCertificateNameError
    """
    name = parse_subject(subject)
    signer = generate_signer(algorithm)
    row = _row(signer, named, by)
    row.csr, row.subject = make_request(signer, name), name.rfc4514_string()
    seal_key(row, signer.private_bytes())
    with transaction.atomic():
        _insert(row, named, by, source="csr")
    return Made(row=row)


def create_test(
    subject: str, named: Named, by: By, *, algorithm: str = DEFAULT_ALGORITHM, life: timedelta = TEST_LIFE
) -> Made:
    """Make a key with a certificate of the built-in test authority, which is made when it is first needed.

    Raises:
        InvalidSubjectError, UnsupportedKeyError, KeyNotForProfileError, AliasInUseError, InvalidCertificateNameError
    """
    signer = generate_signer(algorithm)
    with transaction.atomic():
        root = _test_root(by)
        leaf = issue_test_certificate(
            load_signer(open_key(root)),
            bytes(root.certificate or b""),
            signer,
            parse_subject(subject or named.label),
            at=by.at,
            life=life,
        )
        row = _row(signer, named, by)
        row.is_test = True
        put_certificate(
            row, (leaf, bytes(root.certificate or b"")), public_key_der=signer.public_key_der, at=by.at
        )
        seal_key(row, signer.private_bytes())
        _insert(row, named, by, source="test")
    return Made(row=row)


def create_minisign(named: Named, by: By) -> Made:
    """Make a minisign key. It is nobody's identity key and cannot become one: nothing exports it.

    Raises:
        AliasInUseError, InvalidCertificateNameError
    """
    signer = generate_signer("Ed25519")
    row = _row(signer, named, by)
    # The last 32 bytes of SubjectPublicKeyInfo are the key (RFC 8410, section 4).
    public = PublicKey(key_id=os.urandom(_KEY_ID_BYTES), key=signer.public_key_der[-32:])
    row.public_key = serialize_public_key(public).decode().splitlines()[1]
    row.subject = f"minisign public key {public.id}"
    seal_key(row, signer.private_bytes())
    with transaction.atomic():
        _insert(row, named, by, source="minisign")
    return Made(row=row)


def _import(material: KeyMaterial, named: Named, by: By, *, source: str) -> Made:
    signer = material.signer
    row = _row(signer, named, by)
    warnings = put_certificate(row, material.certificates, public_key_der=signer.public_key_der, at=by.at)
    seal_key(row, signer.private_bytes())
    with transaction.atomic():
        _insert(row, named, by, source=source)
    return Made(row=row, warnings=warnings)


def _row(signer: SoftwareSigner, named: Named, by: By) -> Certificate:
    minisign = signer.algorithm == "Ed25519"
    fits = minisign if named.profile == Profile.MINISIGN else signer.algorithm.startswith(_CERTIFIED)
    if not fits:
        raise KeyNotForProfileError(
            f"a key of the kind {signer.algorithm} makes no signature of the profile {named.profile}"
        )
    return Certificate(
        id=uuid.uuid4(),
        profile=named.profile,
        key_uri=SEALED,
        algorithm=signer.algorithm,
        key_sha256=hashlib.sha256(signer.public_key_der).hexdigest(),
        created_at=by.at,
    )


def _insert(row: Certificate, named: Named, by: By, *, source: str) -> None:
    """Write the row and its event. In the caller's transaction."""
    if Certificate.objects.filter(key_sha256=row.key_sha256).exclude(profile=row.profile).exists():
        raise KeyBoundError(
            "the key is here already, for another profile", hint="use another key for this one"
        )
    set_names(row, alias=named.alias or free_alias(row, named.label), label=named.label)
    row.save(force_insert=True)
    note(tags.CERTIFICATE_CREATED, row, by.actor, at=by.at, origin=by.origin, source=source)


def _test_root(by: By) -> Certificate:
    found = Certificate.objects.select_for_update().filter(is_root=True).first()
    if found is not None:
        return found
    signer = generate_signer(DEFAULT_ALGORITHM)
    row = _row(signer, Named(label=""), by)
    row.is_test = row.is_root = True
    put_certificate(
        row, (make_test_root(signer, at=by.at),), public_key_der=signer.public_key_der, at=by.at, check=False
    )
    seal_key(row, signer.private_bytes())
    _insert(row, Named(label=""), by, source="test")
    return row


def chain_of(row: Certificate) -> tuple[bytes, ...]:
    """Return the chain as DER, nearest issuer first."""
    return tuple(base64.b64decode(one) for one in row.chain)
