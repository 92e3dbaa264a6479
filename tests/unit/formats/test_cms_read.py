"""Signed data of others: read within bounds, and changed without touching what is not meant."""

from __future__ import annotations

import hashlib

import pytest
from tests.signers import chain, detached, leaf, root

from sealstead.errors import ParseError
from sealstead.formats import der
from sealstead.formats.cms import build_signed_data, signed_attributes
from sealstead.formats.cms_check import verify_signer
from sealstead.formats.cms_read import (
    ID_DATA,
    MESSAGE_DIGEST,
    MalformedCmsError,
    add_certificates,
    add_unsigned_attribute,
    parse_signed_data,
)

DIGEST = hashlib.sha256(b"file").digest()
OID_A, OID_B = "1.2.3.4", "1.2.3.5"


def test_the_certificate_of_the_signer_is_found_among_others() -> None:
    made = parse_signed_data(detached(DIGEST, above=(root(), leaf("rsa"))))
    assert made.certificate_of(made.signer) == leaf().der


def test_attributes_are_spliced_in_and_all_else_stays() -> None:
    before = detached(DIGEST)
    once = add_unsigned_attribute(before, OID_A, der.octets(b"x" * 300))
    twice = add_unsigned_attribute(once, OID_B, der.octets(b"y"))
    thrice = add_unsigned_attribute(twice, OID_A, der.octets(b"z"))
    first, last = parse_signed_data(before), parse_signed_data(thrice)
    assert last.signer.unsigned_values(OID_A) == (der.octets(b"x" * 300), der.octets(b"z"))
    assert last.signer.unsigned_values(OID_B) == (der.octets(b"y"),)
    assert last.signer.signed_attrs == first.signer.signed_attrs
    assert last.signer.signature == first.signer.signature
    assert last.certificates == first.certificates
    replaced = add_unsigned_attribute(thrice, OID_A, der.octets(b"w"), replace=True)
    assert parse_signed_data(replaced).signer.unsigned_values(OID_A) == (der.octets(b"w"),)
    assert parse_signed_data(replaced).signer.unsigned_values(OID_B) == (der.octets(b"y"),)


def test_certificates_are_added_and_all_else_stays() -> None:
    made = detached(hashlib.sha256(b"file").digest(), above=(root(),))
    more = add_certificates(made, [leaf("rsa").der, root().der, leaf("rsa").der])
    assert parse_signed_data(more).certificates == (leaf().der, root().der, leaf("rsa").der)
    assert verify_signer(parse_signed_data(more), content_digest=hashlib.sha256(b"file").digest())
    assert add_certificates(made, []) == made
    with pytest.raises(ParseError):
        add_certificates(b"junk", [root().der])


@pytest.mark.parametrize("tail", [b"\0", b"x", b"\0" * 8])
def test_nothing_may_follow(tail: bytes) -> None:
    with pytest.raises(der.MalformedDerError):
        parse_signed_data(detached(DIGEST) + tail)


@pytest.mark.parametrize("path", [(), (1,), (1, 0), (1, 0, 4, 0), (1, 0, 2)])
def test_nothing_is_hidden_in_between(path: tuple[int, ...]) -> None:
    data = detached(DIGEST)
    holders = [der.read_tlv(data)]
    for number in path:
        holders.append(list(der.children(data, holders[-1]))[number])
    end = holders[-1].end
    with pytest.raises(ParseError):
        parse_signed_data(der.splice(data, holders, end, end, der.null()))


def test_every_prefix_is_refused_by_type() -> None:
    made = detached(DIGEST)
    for length in range(len(made)):
        with pytest.raises(ParseError):
            parse_signed_data(made[:length])


def test_other_content_is_not_signed_data() -> None:
    with pytest.raises(MalformedCmsError, match="not signed data"):
        parse_signed_data(der.seq(der.oid(ID_DATA), der.tag(0, der.octets(b"x"))))


def test_signed_data_without_a_signer() -> None:
    empty = der.seq(
        der.oid("1.2.840.113549.1.7.2"),
        der.tag(0, der.seq(der.integer(1), der.set_of(), der.seq(der.oid(ID_DATA)), der.set_of())),
    )
    with pytest.raises(MalformedCmsError, match="without a signer"):
        parse_signed_data(empty)


@pytest.mark.parametrize(("path", "known"), [((1, 0, 0), {1, 3, 4, 5}), ((1, 0, 4, 0, 0), {1, 3})])
def test_versions_that_do_not_exist(path: tuple[int, ...], known: set[int]) -> None:
    data = detached(DIGEST)
    holders = [der.read_tlv(data)]
    for number in path:
        holders.append(list(der.children(data, holders[-1]))[number])
    old = holders.pop()
    for version in range(-1, 8):
        made = der.splice(data, holders, old.start, old.end, der.integer(version))
        if version in known:
            assert parse_signed_data(made).signer.key_id is None
        else:
            with pytest.raises(MalformedCmsError, match="version"):
                parse_signed_data(made)


def test_an_attribute_that_stands_twice_is_refused_when_asked_for() -> None:
    extra = der.seq(der.oid(MESSAGE_DIGEST), der.set_of(der.octets(bytes(32))))
    made = build_signed_data(
        content=None,
        content_type_oid=ID_DATA,
        digest_alg="SHA256",
        signed_attrs=signed_attributes(ID_DATA, DIGEST, (extra,)),
        signature=b"x",
        signer=chain(leaf()),
        key_kind="ec",
    )
    signer = parse_signed_data(made).signer
    assert signer.find_signed("1.2.3") is None
    with pytest.raises(MalformedCmsError, match="exactly once"):
        signer.find_signed(MESSAGE_DIGEST)


def test_numbers_of_signers_and_certificates_are_bounded() -> None:
    with pytest.raises(MalformedCmsError, match="more signers"):
        parse_signed_data(detached(DIGEST, above=(root(),) * 64))
