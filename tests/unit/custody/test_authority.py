"""Requests, and the test authority whose certificates say what they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from tests.certificates import NOW, YEAR

from sealstead.custody.authority import (
    ROOT_LIFE,
    TEST_MARK,
    InvalidSubjectError,
    issue_test_certificate,
    make_request,
    make_test_root,
    parse_subject,
)
from sealstead.custody.signers import generate_signer
from sealstead.formats.signing_certificate import (
    certificate_facts,
    check_signing_certificate,
    order_chain,
)


def test_a_subject_is_a_distinguished_name_or_a_bare_one() -> None:
    assert parse_subject("CN=Harbour Ltd,O=Harbour Ltd,C=SE").rfc4514_string() == (
        "CN=Harbour Ltd,O=Harbour Ltd,C=SE"
    )
    assert parse_subject(" Harbour Ltd ").rfc4514_string() == "CN=Harbour Ltd"


@pytest.mark.parametrize("text", ["", " ", "CN=a,nonsense=b", "a\nb", "C=Sweden", "CN=" + "x" * 300])
def test_what_is_no_subject_is_refused(text: str) -> None:
    with pytest.raises(InvalidSubjectError):
        parse_subject(text)


def test_a_request_names_key_subject_and_purpose() -> None:
    signer = generate_signer("P-256")
    request = x509.load_der_x509_csr(make_request(signer, parse_subject("Harbour Ltd")))
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=Harbour Ltd"
    purposes = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.ExtendedKeyUsageOID.CODE_SIGNING in purposes


def test_the_test_authority_issues_what_code_can_be_signed_with_and_nobody_takes_for_real() -> None:
    root_key, key = generate_signer("P-256"), generate_signer("P-384")
    root = make_test_root(root_key, at=NOW)
    leaf = issue_test_certificate(root_key, root, key, parse_subject("O=Harbour"), at=NOW, life=YEAR)
    check_signing_certificate(leaf, public_key_der=key.public_key_der)
    assert order_chain(leaf, [root], at=NOW) == (root,)
    facts = certificate_facts(leaf)
    assert TEST_MARK in facts.subject
    assert TEST_MARK in facts.issuer
    assert facts.not_before < NOW
    assert facts.not_after == NOW + YEAR


def test_two_authorities_have_two_names() -> None:
    key = generate_signer("P-256")
    subjects = {certificate_facts(make_test_root(key, at=NOW)).subject for _ in range(2)}
    assert len(subjects) == 2


def test_no_certificate_outlives_the_authority() -> None:
    key = generate_signer("P-256")
    root = make_test_root(key, at=NOW)
    late = NOW + ROOT_LIFE - timedelta(days=1)
    leaf = issue_test_certificate(key, root, key, parse_subject("x"), at=late, life=YEAR)
    assert certificate_facts(leaf).not_after == certificate_facts(root).not_after
