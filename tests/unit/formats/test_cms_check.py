"""The signature in signed data: each step refuses what only it can see."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.x509.oid import NameOID
from tests.signers import NOW, chain, detached, leaf

from sealstead.errors import VerificationError
from sealstead.formats import der
from sealstead.formats.cms import SignerChain, build_signed_data, detached_attributes, signed_attributes
from sealstead.formats.cms_check import (
    BadCmsSignatureError,
    ForeignKeyError,
    SignedDigestError,
    SignerMissingError,
    WeakDigestError,
    verify_signer,
)
from sealstead.formats.cms_read import CONTENT_TYPE, ID_DATA, MESSAGE_DIGEST, SignedData, parse_signed_data
from sealstead.formats.signature_algorithms import RSASSA_PSS

DIGEST = hashlib.sha256(b"file").digest()


def made(attributes: bytes, signature: bytes | None = None, content: bytes | None = None) -> SignedData:
    return parse_signed_data(
        build_signed_data(
            content=content,
            content_type_oid=ID_DATA,
            digest_alg="SHA256",
            signed_attrs=attributes,
            signature=leaf().sign(attributes) if signature is None else signature,
            signer=chain(leaf()),
            key_kind="ec",
        )
    )


def refused(signed: SignedData, expected: type[VerificationError], digest: bytes | None = DIGEST) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_signer(signed, content_digest=digest)
    assert type(caught.value) is expected


def test_other_content_is_refused() -> None:
    refused(parse_signed_data(detached(DIGEST)), SignedDigestError, hashlib.sha256(b"other").digest())


def test_what_is_detached_needs_its_file_and_what_is_not_takes_none() -> None:
    refused(parse_signed_data(detached(DIGEST)), SignedDigestError, None)
    body = signed_attributes(ID_DATA, hashlib.sha256(b"a").digest())
    refused(made(body, content=der.octets(b"a")), SignedDigestError)  # carried, and not the file's
    assert verify_signer(made(body, content=der.octets(b"a")), content_digest=hashlib.sha256(b"a").digest())
    of_file = signed_attributes(ID_DATA, DIGEST)
    refused(made(of_file, content=der.octets(b"a")), SignedDigestError)
    assert verify_signer(made(of_file, content=der.octets(b"file")), content_digest=DIGEST)
    assert verify_signer(made(body, content=der.octets(b"a"))) == leaf().der
    refused(made(body, content=der.octets(b"b")), SignedDigestError, None)


def test_the_type_of_the_content_is_signed() -> None:
    refused(made(signed_attributes("1.3.6.1.4.1.311.2.1.4", DIGEST)), SignedDigestError)


@pytest.mark.parametrize("missing", [CONTENT_TYPE, MESSAGE_DIGEST])
def test_an_attribute_that_must_be_there(missing: str) -> None:
    attributes = detached_attributes("SHA256", DIGEST)
    outer = der.read_tlv(attributes)
    kept = [
        part.raw(attributes)
        for part in der.children(attributes, outer)
        if der.oid(missing) not in part.raw(attributes)
    ]
    refused(made(der.set_of(*kept)), SignedDigestError)


def test_a_signature_of_something_else_is_refused() -> None:
    attributes = detached_attributes("SHA256", DIGEST)
    other = detached_attributes("SHA256", bytes(32))
    refused(made(attributes, leaf().sign(other)), BadCmsSignatureError)
    refused(made(attributes, b""), BadCmsSignatureError)


def test_the_certificate_must_have_come_along() -> None:
    signed = parse_signed_data(detached(DIGEST))
    alone = SignedData(
        der=signed.der,
        content_type=ID_DATA,
        content=None,
        certificates=(),
        signers=signed.signers,
        digest_oids=signed.digest_oids,
    )
    refused(alone, SignerMissingError)


def test_a_digest_that_proves_nothing_any_more() -> None:
    signed = parse_signed_data(detached(DIGEST)).der
    path = [der.read_tlv(signed)]
    for number in (1, 0, 4, 0, 2):
        path.append(list(der.children(signed, path[-1]))[number])
    old = next(der.children(signed, path[-1]))
    weak = der.splice(signed, path, old.start, old.end, der.oid("1.3.14.3.2.26"))
    refused(parse_signed_data(weak), WeakDigestError)


def test_a_signature_without_attributes_is_refused() -> None:
    signed = parse_signed_data(detached(DIGEST))
    path = [der.read_tlv(signed.der)]
    for number in (1, 0, 4, 0):
        path.append(list(der.children(signed.der, path[-1]))[number])
    attributes = list(der.children(signed.der, path[-1]))[3]
    bare = der.splice(signed.der, path, attributes.start, attributes.end, b"")
    refused(parse_signed_data(bare), SignedDigestError)


def test_pss_is_understood() -> None:
    holder = leaf("rsa")
    assert isinstance(holder.key, rsa.RSAPrivateKey)
    attributes = detached_attributes("SHA256", DIGEST)
    signature = holder.key.sign(attributes, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    plain = build_signed_data(
        content=None,
        content_type_oid=ID_DATA,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=signature,
        signer=chain(holder),
        key_kind="rsa",
    )
    refused(parse_signed_data(plain), BadCmsSignatureError)
    at = plain.rindex(der.oid("1.2.840.113549.1.1.1"))
    same_length = der.oid(RSASSA_PSS)
    pss = plain[:at] + same_length + plain[at + len(same_length) :]
    assert verify_signer(parse_signed_data(pss), content_digest=DIGEST) == holder.der


def test_a_certificate_whose_key_cannot_be_read() -> None:
    whole = detached(DIGEST)
    at = whole.index(der.oid("1.2.840.10045.3.1.7"))
    broken = whole[: at + 9] + b"\x08" + whole[at + 10 :]
    refused(parse_signed_data(broken), ForeignKeyError)


def test_a_key_that_makes_no_signatures_has_made_none() -> None:
    """Its certificate is in order, and no branch knows how to check with it: that must not come out as a yes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Key agreement")])
    certificate = (
        x509.CertificateBuilder(name, name, x25519.X25519PrivateKey.generate().public_key(), 1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(leaf().key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    attributes = detached_attributes("SHA256", DIGEST)
    signed = build_signed_data(
        content=None,
        content_type_oid=ID_DATA,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=leaf().sign(attributes),
        signer=SignerChain(certificate, ()),
        key_kind="ec",
    )
    refused(parse_signed_data(signed), ForeignKeyError)
