"""Keys in memory: what they sign verifies with their public half, and they go out and in again as the same."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from tests.certificates import rsa_key

from sealstead.custody.signers import (
    HASHES,
    SoftwareSigner,
    UnusableKeyError,
    generate_signer,
    load_signer,
)
from sealstead.formats.signing_certificate import UnsupportedKeyError
from sealstead.secret import Secret


def verify(signer: SoftwareSigner, signature: bytes, data: bytes, hash_name: str) -> None:
    key = serialization.load_der_public_key(signer.public_key_der)
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), HASHES[hash_name])
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(HASHES[hash_name]))
    else:
        assert isinstance(key, ed25519.Ed25519PublicKey)
        key.verify(signature, data)


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("signer", [SoftwareSigner(rsa_key()), generate_signer("P-256")], ids=["rsa", "ec"])
def test_signatures_verify(signer: SoftwareSigner, hash_name: str) -> None:
    verify(signer, signer.sign(b"attributes", hash_name), b"attributes", hash_name)


def test_ed25519_takes_no_hash() -> None:
    signer = generate_signer("Ed25519")
    verify(signer, signer.sign(b"digest"), b"digest", "")


def test_an_unknown_hash_is_never_another_one() -> None:
    with pytest.raises(KeyError):
        generate_signer("P-256").sign(b"x", "SHA1")


@pytest.mark.parametrize("algorithm", ["P-256", "P-384", "P-521", "Ed25519", "RSA-2048"])
def test_a_key_goes_out_and_in_again(algorithm: str) -> None:
    signer = generate_signer(algorithm)
    again = load_signer(signer.private_bytes())
    assert (again.algorithm, again.public_key_der) == (algorithm, signer.public_key_der)


@pytest.mark.parametrize("algorithm", ["RSA-1024", "RSA-x", "P-192", "DSA", "", "ed25519"])
def test_no_other_key_is_made(algorithm: str) -> None:
    with pytest.raises(UnsupportedKeyError):
        generate_signer(algorithm)


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x03\x02\x01\x00"])
def test_what_is_no_key_is_refused_without_quoting_it(data: bytes) -> None:
    with pytest.raises(UnusableKeyError) as refused:
        load_signer(Secret(data))
    assert refused.value.__cause__ is None


def test_a_key_too_small_is_refused() -> None:
    small = rsa_key(1024).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(UnsupportedKeyError):
        load_signer(Secret(small))


def test_the_hashes_are_what_their_names_say() -> None:
    assert {name: type(one) for name, one in HASHES.items()} == {
        "SHA256": hashes.SHA256,
        "SHA384": hashes.SHA384,
        "SHA512": hashes.SHA512,
    }
