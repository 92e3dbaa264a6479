"""What a signature says of how it was made: well-formed, and not against its key or its digest."""

from __future__ import annotations

import pytest

from sealstead.errors import ParseError
from sealstead.formats.cms_read import SignerInfo
from sealstead.formats.der import integer, null, oid, seq, tag
from sealstead.formats.digests import ALGORITHMS
from sealstead.formats.signature_algorithms import (
    ED25519,
    RSASSA_PSS,
    SignatureAlgorithmError,
    check_algorithm,
    check_listed,
    pss_salt,
)

RSA, SHA256_RSA, SHA512_RSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.13"
EC, ECDSA_SHA256, ECDSA_SPECIFIED = "1.2.840.10045.2.1", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3"
CURVE = oid("1.2.840.10045.3.1.7")


def signer(algorithm: str, parameters: bytes = b"") -> SignerInfo:
    return SignerInfo(
        issuer_serial=None,
        key_id=b"k",
        digest=ALGORITHMS["SHA256"],
        signed_attrs=None,
        signed=(),
        signature_oid=algorithm,
        signature_parameters=parameters,
        signature=b"",
        unsigned=(),
    )


@pytest.mark.parametrize(
    ("key", "algorithm", "parameters"),
    [
        *(("rsa", one, given) for one in (RSA, SHA256_RSA) for given in (b"", null())),
        *(("ec", ECDSA_SHA256, given) for given in (b"", null())),
        ("ec", EC, CURVE),
        ("ec", ECDSA_SPECIFIED, ALGORITHMS["SHA256"].identifier),
        ("ed25519", ED25519, b""),
    ],
)
def test_what_signers_write(key: str, algorithm: str, parameters: bytes) -> None:
    check_algorithm(signer(algorithm, parameters), key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "algorithm", "parameters"),
    [
        ("rsa", SHA512_RSA, null()),  # of another digest
        ("rsa", "1.2.840.113549.1.1.5", null()),
        ("rsa", ECDSA_SHA256, b""),
        ("ec", RSA, null()),
        ("ec", ED25519, b""),
        ("ed25519", EC, b""),
        ("rsa", "1.2.3", b""),
        *(("rsa", RSA, given) for given in (b"\x04\x00", b"\x05\x01\x00", null() * 2, seq())),
        ("ec", ECDSA_SHA256, CURVE),
        ("ed25519", ED25519, CURVE),
    ],
)
def test_what_contradicts_itself(key: str, algorithm: str, parameters: bytes) -> None:
    with pytest.raises(SignatureAlgorithmError):
        check_algorithm(signer(algorithm, parameters), key)  # type: ignore[arg-type]


def pss(
    hashed: str = "SHA256",
    masked: str = "SHA256",
    salt: int = 32,
    trailer: int = 1,
    mask: str = "1.2.840.113549.1.1.8",
) -> bytes:
    return seq(
        tag(0, ALGORITHMS[hashed].identifier),
        tag(1, seq(oid(mask), ALGORITHMS[masked].identifier)),
        tag(2, integer(salt)),
        tag(3, integer(trailer)),
    )


def test_the_salt_of_pss() -> None:
    assert pss_salt(signer(RSASSA_PSS, pss(salt=48))) == 48
    assert pss_salt(signer(RSASSA_PSS)) is None
    assert pss_salt(signer(RSASSA_PSS, null())) is None
    brief = seq(
        tag(0, ALGORITHMS["SHA256"].identifier),
        tag(1, seq(oid("1.2.840.113549.1.1.8"), seq(oid(ALGORITHMS["SHA256"].oid)))),
    )
    assert pss_salt(signer(RSASSA_PSS, brief)) == 20


@pytest.mark.parametrize(
    "parameters",
    [
        seq(),
        pss(hashed="SHA512"),
        pss(masked="SHA512"),
        pss(mask="1.2.840.113549.1.1.9"),
        pss(salt=-1),
        pss(salt=1 << 20),
        pss(trailer=2),
    ],
)
def test_parameters_of_pss_that_contradict_the_signature(parameters: bytes) -> None:
    with pytest.raises(SignatureAlgorithmError):
        pss_salt(signer(RSASSA_PSS, parameters))


@pytest.mark.parametrize("parameters", [b"x", oid("1.2.3"), seq(null()), pss() + null(), seq(tag(0), tag(1))])
def test_parameters_of_pss_that_cannot_be_read(parameters: bytes) -> None:
    with pytest.raises(ParseError):
        pss_salt(signer(RSASSA_PSS, parameters))


def test_the_digest_is_listed() -> None:
    own, other = ALGORITHMS["SHA256"], ALGORITHMS["SHA384"]
    check_listed((own.oid,), own, alone=True)
    check_listed((other.oid, own.oid), own)
    for listed, alone in (
        ((), False),
        ((other.oid,), False),
        ((own.oid, other.oid), True),
        ((own.oid,) * 2, True),
    ):
        with pytest.raises(SignatureAlgorithmError):
            check_listed(listed, own, alone=alone)
