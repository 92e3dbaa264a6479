"""Ways from a certificate to a root, and what keeps one from being trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.signers import NOW, Holder, authority, issue, leaf, root

from sealstead.codesign.chain import (
    CertificateNotValidError,
    CertificatePurposeError,
    UnreadableCertificateError,
    UntrustedChainError,
    check_chain,
    load_certificate,
    readable,
)
from sealstead.codesign.roots import Roots
from sealstead.formats.trust_list import CODE_SIGNING, TIME_STAMPING

ROOTS = Roots((root().certificate,))
SECOND = timedelta(seconds=1)


def check(holder: Holder, *above: Holder, roots: Roots = ROOTS, purpose: str = CODE_SIGNING) -> list[str]:
    found = check_chain(
        holder.certificate, [one.certificate for one in above], roots=roots, purpose=purpose, at=NOW
    )
    return [one.subject.rfc4514_string() for one in found]


def test_a_way_through_an_authority_between() -> None:
    between = issue(root(), "ec", "Between", is_authority=True)
    below = issue(between, "rsa", "Below")
    assert check(leaf()) == ["CN=Test Signer", "CN=Test Root"]
    assert check(below, leaf("rsa"), between) == ["CN=Below", "CN=Between", "CN=Test Root"]
    with pytest.raises(UntrustedChainError, match="issuer: CN=Between"):
        check(below)


def test_a_certificate_may_be_named_as_its_own_root() -> None:
    alone = issue(None, "ec", "Alone")
    own = leaf()
    assert check(own, roots=Roots((own.certificate,))) == ["CN=Test Signer"]
    with pytest.raises(CertificatePurposeError):
        check(alone, roots=Roots((alone.certificate,)))


def test_a_root_of_the_same_name_is_another() -> None:
    twin = issue(None, "ec", "Test Root")
    with pytest.raises(UntrustedChainError):
        check(leaf(), roots=Roots((twin.certificate,)))


def test_the_option_that_names_a_root_is_the_one_for_the_purpose() -> None:
    twin = Roots((issue(None, "ec", "Test Root").certificate,))
    stamping = issue(root(), "ec", "Stamp", usage=ExtendedKeyUsageOID.TIME_STAMPING)
    for holder, purpose, option in (
        (leaf(), CODE_SIGNING, ": --root FILE"),
        (stamping, TIME_STAMPING, ": --timestamp-root FILE"),
    ):
        with pytest.raises(UntrustedChainError) as refused:
            check(holder, roots=twin, purpose=purpose)
        assert option in str(refused.value.hint)


def test_no_root_at_all() -> None:
    with pytest.raises(UntrustedChainError, match="no root"):
        check(leaf(), roots=Roots(()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: issue(root(), "ec", "None", usage=None),
        lambda: issue(root(), "ec", "Server", usage=ExtendedKeyUsageOID.SERVER_AUTH),
        lambda: issue(root(), "ec", "Any", usage=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        authority,
        lambda: issue(root(), "ec", "Authority", is_authority=True),
    ],
)
def test_certificates_for_something_else(make: Callable[[], Holder]) -> None:
    with pytest.raises(CertificatePurposeError):
        check(make())


def test_time_stamping_is_a_purpose_of_its_own() -> None:
    assert check(authority(), purpose=TIME_STAMPING)[-1] == "CN=Test Root"
    with pytest.raises(CertificatePurposeError):
        check(leaf(), purpose=TIME_STAMPING)


def test_a_signer_is_no_authority() -> None:
    with pytest.raises(UntrustedChainError):
        check(issue(leaf(), "ec", "Under a signer"), leaf())


@pytest.mark.parametrize(("is_authority", "may_issue"), [(True, False), (False, True)])
def test_an_authority_is_one_and_may_issue(is_authority: bool, may_issue: bool) -> None:
    between = issue(root(), "ec", "Half", is_authority=is_authority, may_issue=may_issue)
    with pytest.raises(UntrustedChainError):
        check(issue(between, "ec", "Below"), between)


def test_a_key_that_may_make_no_signatures() -> None:
    with pytest.raises(CertificatePurposeError, match="no signatures"):
        check(issue(root(), "ec", "Mute", may_sign=False))


def test_an_authority_is_held_to_the_purposes_it_names() -> None:
    for_servers = issue(
        root(), "ec", "Servers", is_authority=True, authority_usage=ExtendedKeyUsageOID.SERVER_AUTH
    )
    with pytest.raises(UntrustedChainError):
        check(issue(for_servers, "ec", "Below"), for_servers)
    for_code = issue(
        root(), "ec", "Code", is_authority=True, authority_usage=ExtendedKeyUsageOID.CODE_SIGNING
    )
    assert len(check(issue(for_code, "ec", "Below"), for_code)) == 3


@pytest.mark.parametrize(
    ("before", "after", "valid"),
    [
        (timedelta(0), timedelta(days=1), True),
        (timedelta(days=1), timedelta(0), True),
        (-SECOND, timedelta(days=1), False),
        (timedelta(days=1), -SECOND, False),
    ],
)
def test_both_ends_of_its_time(before: timedelta, after: timedelta, valid: bool) -> None:
    holder = issue(root(), "ec", "Edge", before=before, after=after)
    if valid:
        assert check(holder)
        return
    with pytest.raises(CertificateNotValidError):
        check(holder)


def test_an_authority_that_has_ended() -> None:
    ended = issue(root(), "ec", "Ended", is_authority=True, after=-SECOND)
    with pytest.raises(UntrustedChainError):
        check(issue(ended, "ec", "Below"), ended)


def test_what_cannot_be_read() -> None:
    assert [one.subject for one in readable([b"", leaf().der[:-1], leaf().der])] == [
        leaf().certificate.subject
    ]
    with pytest.raises(UnreadableCertificateError):
        load_certificate(b"0\x00")


def test_a_name_that_the_library_stumbles_over() -> None:
    """A BIT STRING in a subject: `cryptography` answers with a TypeError, of all things."""
    der = leaf().der
    at = der.index(b"\x06\x03\x55\x04\x03\x0c\x0bTest Signer") + 5
    with pytest.raises(UnreadableCertificateError):
        load_certificate(der[:at] + b"\x03\x0b\x00" + der[at + 3 :])
