"""Hash algorithms: which there are, which we sign with, and how long their digests are."""

from __future__ import annotations

import hashlib

import pytest

from sealstead.formats.der import MalformedDerError, null, oid, read_tlv, seq
from sealstead.formats.digests import (
    ALGORITHMS,
    SIGNING,
    DigestLengthError,
    ForeignDigestError,
    UnknownDigestError,
    checked_digest,
    digest_algorithm,
    read_digest_algorithm,
)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_names_lengths_and_functions_agree(name: str) -> None:
    algorithm = ALGORITHMS[name]
    assert algorithm.digest(b"abc") == hashlib.new(name, b"abc").digest()
    assert len(algorithm.digest(b"")) == algorithm.size


@pytest.mark.parametrize("name", ["MD5", "SHA1", "sha256", "", "BLAKE2b-512", "SHA256 "])
def test_what_we_do_not_sign_with(name: str) -> None:
    with pytest.raises(UnknownDigestError) as caught:
        digest_algorithm(name)
    assert caught.value.code == "unknown-digest-algorithm"


@pytest.mark.parametrize("name", SIGNING)
def test_a_digest_has_the_length_of_its_algorithm(name: str) -> None:
    size = ALGORITHMS[name].size
    assert checked_digest(name, bytes(size)).name == name
    for wrong in (0, size - 1, size + 1):
        with pytest.raises(DigestLengthError):
            checked_digest(name, bytes(wrong))


@pytest.mark.parametrize("parameters", [b"", null()])
def test_algorithms_are_read_with_and_without_parameters(parameters: bytes) -> None:
    data = seq(oid(ALGORITHMS["SHA384"].oid), parameters)
    assert read_digest_algorithm(data, read_tlv(data)).name == "SHA384"


@pytest.mark.parametrize("parameters", [b"\x04\x00", b"\x05\x01\x00", null() * 2, seq(), b"\x05"])
def test_a_hash_algorithm_has_no_parameters(parameters: bytes) -> None:
    data = seq(oid(ALGORITHMS["SHA384"].oid), parameters)
    with pytest.raises(MalformedDerError):
        read_digest_algorithm(data, read_tlv(data))


def test_an_unknown_algorithm_is_named() -> None:
    data = seq(oid("2.16.840.1.101.3.4.2.99"))
    with pytest.raises(ForeignDigestError, match=r"3\.4\.2\.99"):
        read_digest_algorithm(data, read_tlv(data))
