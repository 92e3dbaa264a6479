"""Signed data that we make: of the one form, and read back by ourselves (others read it in tests/interop)."""

from __future__ import annotations

import hashlib

import pytest
from tests.signers import chain, detached, leaf, root

from sealstead.formats.cms import (
    ID_DATA,
    build_signed_data,
    detached_attributes,
    parse_signed_data,
    signed_attributes,
    verify_signer,
)
from sealstead.formats.der import SET, children, read_tlv
from sealstead.formats.digests import DigestLengthError, UnknownDigestError

DIGEST = hashlib.sha256(b"file").digest()


def test_the_attributes_are_a_sorted_set() -> None:
    made = signed_attributes(ID_DATA, DIGEST, (b"\x30\x02\x05\x00",))
    outer = read_tlv(made)
    parts = [part.raw(made) for part in children(made, outer)]
    assert outer.tag == SET
    assert parts == sorted(parts)
    assert len(parts) == 3


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("alg", ["SHA256", "SHA384", "SHA512"])
def test_a_detached_signature_holds(kind: str, alg: str) -> None:
    holder = leaf("rsa" if kind == "rsa" else "ec")
    digest = hashlib.new(alg, b"file").digest()
    made = parse_signed_data(detached(digest, alg=alg, holder=holder, above=(root(),)))
    assert (made.content_type, made.content) == (ID_DATA, None)
    assert made.certificates == (holder.der, root().der)
    assert verify_signer(made, content_digest=digest) == holder.der


def test_what_is_signed_is_what_is_stored() -> None:
    attributes = detached_attributes("SHA256", DIGEST)
    made = build_signed_data(
        content=b"\x04\x01a",
        content_type_oid=ID_DATA,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=b"signature",
        signer=chain(leaf()),
        key_kind="ec",
    )
    read = parse_signed_data(made)
    assert (read.signer.signed_attrs, read.signer.signature) == (attributes, b"signature")
    assert (read.content, read.content_body) == (b"\x04\x01a", b"a")


def test_the_digest_is_looked_at_before_anything_is_made_of_it() -> None:
    with pytest.raises(DigestLengthError):
        detached_attributes("SHA384", DIGEST)
    with pytest.raises(UnknownDigestError):
        detached_attributes("SHA1", DIGEST[:20])
