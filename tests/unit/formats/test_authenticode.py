"""What Windows has signed instead of a file."""

from __future__ import annotations

import hashlib

import pytest
from tests.signers import chain, detached, leaf, signature

from sealstead.formats import authenticode, der
from sealstead.formats.authenticode import (
    ForeignContentError,
    add_nested,
    add_timestamp,
    indirect_data,
    nested_signatures,
    read_indirect,
    timestamp_tokens,
    to_be_signed,
)
from sealstead.formats.cms import build_signed_data, parse_signed_data, verify_signer
from sealstead.formats.digests import DigestLengthError, UnknownDigestError

DIGEST = hashlib.sha256(b"file").digest()


@pytest.mark.parametrize("kind", ["pe", "powershell"])
@pytest.mark.parametrize("alg", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_signature_says_of_what_it_is_and_holds(kind: authenticode.Kind, alg: str, key: str) -> None:
    digest = hashlib.new(alg, b"file").digest()
    holder = leaf("rsa" if key == "rsa" else "ec")
    made = parse_signed_data(signature(digest, kind=kind, alg=alg, holder=holder))
    read = read_indirect(made)
    assert (read.kind, read.alg.name, read.digest) == (kind, alg, digest)
    assert verify_signer(made) == holder.der


def test_the_content_is_as_others_write_it() -> None:
    """As osslsigncode 2.9 writes it (`extract-data`), but for the flags, which the specification leaves empty."""
    expected = (
        "3069303406" + "0a2b0601040182370201" + "1e3026020301000004101fcc3b60594b084eb724d2c6297ef351"
        "020100020100020100020100020100" + "3031300d060960864801650304020105000420" + DIGEST.hex()
    )
    assert indirect_data("powershell", "SHA256", DIGEST).hex() == expected


def test_the_message_digest_is_over_the_content_without_its_header() -> None:
    to_sign = to_be_signed("pe", "SHA256", DIGEST)
    body = der.read_tlv(to_sign.content).content(to_sign.content)
    assert der.octets(hashlib.sha256(body).digest()) in to_sign.attributes


@pytest.mark.parametrize(
    ("alg", "digest", "error"),
    [
        ("SHA256", b"", DigestLengthError),
        ("SHA256", bytes(31), DigestLengthError),
        ("SHA512", bytes(32), DigestLengthError),
        ("SHA1", bytes(20), UnknownDigestError),
        ("MD5", bytes(16), UnknownDigestError),
        ("BLAKE2b-512", bytes(64), UnknownDigestError),
    ],
)
def test_no_other_digest_gets_in(alg: str, digest: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        to_be_signed("pe", alg, digest)


def test_signatures_are_nested_and_stamped_without_change_to_the_first() -> None:
    first = signature(DIGEST)
    second, third = signature(DIGEST, holder=leaf("rsa")), signature(DIGEST, description="third")
    made = parse_signed_data(add_timestamp(add_nested(add_nested(first, second), third), der.seq(der.null())))
    assert nested_signatures(made) == (second, third)
    assert timestamp_tokens(made) == (der.seq(der.null()),)
    assert verify_signer(made) == leaf().der
    again = add_timestamp(made.der, der.seq())
    assert timestamp_tokens(parse_signed_data(again)) == (der.seq(),)


def content_signed(content: bytes) -> bytes:
    return build_signed_data(
        content=content,
        content_type_oid=authenticode.SPC_INDIRECT_DATA,
        digest_alg="SHA256",
        signed_attrs=der.set_of(),
        signature=b"x",
        signer=chain(leaf()),
        key_kind="ec",
    )


def test_other_content_is_no_authenticode() -> None:
    with pytest.raises(ForeignContentError, match="not an Authenticode"):
        read_indirect(parse_signed_data(detached(DIGEST)))
    pe = indirect_data("pe", "SHA256", DIGEST)
    msi = indirect_data("powershell", "SHA256", DIGEST).replace(bytes.fromhex("1fcc3b60"), b"\xf1\x10\x0c\0")
    cab = pe.replace(der.oid(authenticode.SPC_PE_IMAGE_DATA), der.oid("1.3.6.1.4.1.311.2.1.25"))
    for content in (msi, cab):
        with pytest.raises(ForeignContentError, match="not known"):
            read_indirect(parse_signed_data(content_signed(content)))


def test_a_digest_that_is_none_of_its_algorithm() -> None:
    pe = indirect_data("pe", "SHA256", DIGEST)
    outer = der.read_tlv(pe)
    message = list(der.children(pe, outer))[1]
    digest = list(der.children(pe, message))[1]
    short = der.splice(pe, [outer, message], digest.start, digest.end, der.octets(b"short"))
    with pytest.raises(ForeignContentError, match="SHA256"):
        read_indirect(parse_signed_data(content_signed(short)))
