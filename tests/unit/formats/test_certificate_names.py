"""What a signature names its certificate by."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.signers import NOW, leaf, root

from sealstead.formats.certificate_names import (
    certificate_names,
    issuer_and_serial,
    key_kind_of,
    subject_key_id,
)
from sealstead.formats.der import MalformedDerError, integer, seq


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_names_are_those_that_cryptography_reads(kind: str) -> None:
    holder = leaf("rsa" if kind == "rsa" else "ec")
    issuer, serial = issuer_and_serial(holder.der)
    assert issuer == root().certificate.subject.public_bytes()
    assert serial == integer(holder.certificate.serial_number)
    assert certificate_names(holder.der).subject == holder.certificate.subject.public_bytes()
    assert key_kind_of(holder.der) == kind
    expected = x509.SubjectKeyIdentifier.from_public_key(holder.key.public_key()).digest
    assert subject_key_id(holder.der) == expected


def test_a_kind_of_key_that_signs_no_code() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .sign(key, None)
    )
    encoded = made.public_bytes(serialization.Encoding.DER)
    assert subject_key_id(encoded) is None
    with pytest.raises(MalformedDerError, match=r"1\.3\.101\.112"):
        key_kind_of(encoded)


@pytest.mark.parametrize("cut", [0, 1, 20, 100, -1])
def test_a_certificate_that_is_cut_off(cut: int) -> None:
    with pytest.raises(MalformedDerError):
        certificate_names(leaf().der[:cut])


def test_something_else() -> None:
    with pytest.raises(MalformedDerError):
        certificate_names(seq(integer(1)))
