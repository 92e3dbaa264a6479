"""Which certificates code may be signed with, and which chain belongs to one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, x25519
from tests.certificates import CODE, NOW, TLS, YEAR, Issued, issue, issuer, leaf, new_key, root, rsa_key

from sealstead.errors import SealsteadError
from sealstead.formats.signing_certificate import (
    BrokenChainError,
    CertificateKeyMismatchError,
    CertificatePeriodError,
    MalformedCertificateError,
    UnsuitableCertificateError,
    UnsupportedKeyError,
    algorithm_of,
    certificate_facts,
    chain_period,
    check_period,
    check_signing_certificate,
    is_self_issued,
    order_chain,
    public_key_of,
)

SECOND = timedelta(seconds=1)


def test_facts_are_those_that_windows_and_openssl_show() -> None:
    facts = certificate_facts(leaf().der)
    assert (facts.subject, facts.issuer) == ("CN=Harbour Ltd", "CN=Test Issuer")
    assert facts.serial == f"{leaf().certificate.serial_number:x}"
    assert len(facts.thumbprint) == 40
    assert facts.thumbprint == facts.thumbprint.upper()
    assert (facts.algorithm, facts.common_name) == ("P-256", "Harbour Ltd")
    assert (facts.not_before, facts.not_after) == (NOW - YEAR, NOW + YEAR)
    assert not facts.self_issued
    assert not is_self_issued(leaf().der)
    assert is_self_issued(root().der)


def test_a_good_certificate_passes_with_its_own_key_alone() -> None:
    check_signing_certificate(leaf().der, public_key_der=leaf().public_key_der)
    with pytest.raises(CertificateKeyMismatchError):
        check_signing_certificate(leaf().der, public_key_der=issuer().public_key_der)


@pytest.mark.parametrize(
    "made",
    [
        issue("for TLS", by=root(), purposes=TLS),
        issue("for nothing in particular", by=root(), purposes=None),
        issue("an authority", by=root(), ca=True, purposes=CODE),
        issue("may not sign", by=root(), usage={"key_encipherment": True}),
    ],
    ids=["tls", "no-purpose", "authority", "usage"],
)
def test_what_code_is_not_signed_with_is_refused(made: Issued) -> None:
    with pytest.raises(UnsuitableCertificateError):
        check_signing_certificate(made.der, public_key_der=made.public_key_der)


def test_a_certificate_without_key_usage_passes() -> None:
    made = issue("as many tools make them", by=root())
    check_signing_certificate(made.der, public_key_der=made.public_key_der)


@pytest.mark.parametrize("data", [b"", b"\x30\x80", b"nonsense", leaf().der[:-1], leaf().der + b"\0"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    for ask in (certificate_facts, public_key_of):
        with pytest.raises(MalformedCertificateError):
            ask(data)


def test_a_name_that_the_library_stumbles_over_is_refused() -> None:
    """A BIT STRING in a subject: `cryptography` answers with a TypeError, of all things."""
    der = leaf().der
    at = der.index(b"\x06\x03\x55\x04\x03\x0c\x0bHarbour Ltd") + 5
    odd = der[:at] + b"\x03\x0b\x00" + der[at + 3 :]
    for ask in (certificate_facts, lambda one: order_chain(one, [], at=NOW), lambda one: chain_period([one])):
        with pytest.raises(MalformedCertificateError):
            ask(odd)


def test_the_period_is_closed_at_its_begin_and_open_at_its_end() -> None:
    begin, end = NOW - YEAR, NOW + YEAR
    check_period(begin, end, begin)
    check_period(begin, end, end - SECOND)
    check_period(None, None, NOW)
    for at in (begin - SECOND, end):
        with pytest.raises(CertificatePeriodError):
            check_period(begin, end, at)


def test_a_chain_is_put_in_order_and_strangers_are_left_out() -> None:
    stranger = issue("Somebody", ca=True, purposes=None)
    found = order_chain(leaf().der, [stranger.der, root().der, leaf().der, issuer().der], at=NOW)
    assert found == (issuer().der, root().der)


def test_a_chain_may_end_below_the_root() -> None:
    assert order_chain(leaf().der, [issuer().der], at=NOW) == (issuer().der,)
    assert order_chain(leaf().der, [root().der], at=NOW) == ()
    assert order_chain(root().der, [issuer().der], at=NOW) == ()


def test_an_issuer_by_name_alone_breaks_the_chain() -> None:
    pretender = issue("Test Issuer", ca=True, purposes=None)
    with pytest.raises(BrokenChainError):
        order_chain(leaf().der, [pretender.der], at=NOW)
    assert order_chain(leaf().der, [pretender.der, issuer().der], at=NOW) == (issuer().der,)


@pytest.mark.parametrize(
    "authority",
    [
        issue("A", by=root(), ca=False, purposes=None),
        issue("A", by=root(), ca=None, purposes=None),
        issue("A", by=root(), ca=True, purposes=None, usage={"digital_signature": True}),
        issue("A", by=root(), ca=True, purposes=None, end=NOW),
        issue("A", by=root(), ca=True, purposes=None, begin=NOW + SECOND),
    ],
    ids=["no-ca", "no-constraints", "no-cert-sign", "expired", "not-yet"],
)
def test_an_issuer_that_may_not_issue_breaks_the_chain(authority: Issued) -> None:
    made = issue("below", by=authority)
    with pytest.raises(BrokenChainError):
        order_chain(made.der, made.chain_ders, at=NOW)


def test_two_that_issued_each_other_end_somewhere() -> None:
    first = issue("First", by=issue("Second", ca=True, purposes=None), ca=True, purposes=None)
    second = issue("Second", by=first, key=new_key(), ca=True, purposes=None)
    made = issue("below", by=second)
    assert len(order_chain(made.der, [first.der, second.der], at=NOW)) == 2


def test_keys_are_named_by_kind_and_size() -> None:
    assert algorithm_of(rsa_key().public_key()) == "RSA-2048"
    assert algorithm_of(ec.generate_private_key(ec.SECP384R1()).public_key()) == "P-384"
    assert algorithm_of(ed25519.Ed25519PrivateKey.generate().public_key()) == "Ed25519"


@pytest.mark.parametrize(
    "key",
    [
        rsa_key(1024).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        dsa.generate_private_key(2048).public_key(),
        x25519.X25519PrivateKey.generate().public_key(),
        None,
    ],
    ids=["small-rsa", "curve", "dsa", "x25519", "nothing"],
)
def test_other_keys_are_refused(key: object) -> None:
    with pytest.raises(UnsupportedKeyError) as refused:
        algorithm_of(key)
    assert isinstance(refused.value, SealsteadError)


def test_a_chain_is_valid_while_all_of_it_is() -> None:
    assert chain_period([issuer().der, root().der]) == (NOW - YEAR, NOW + YEAR)
    assert chain_period([]) == (None, None)
    with pytest.raises(MalformedCertificateError):
        chain_period([b"nonsense"])
