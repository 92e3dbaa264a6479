"""Time-stamps over signatures: what makes one hold, and what does not."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.signers import NOW, Holder, authority, issue, leaf, root
from tests.stamps import stamp, tst_info

from sealstead.codesign.chain import CertificateNotValidError, CertificatePurposeError, UntrustedChainError
from sealstead.codesign.roots import Roots
from sealstead.codesign.timestamp_check import (
    CheckedTimestamp,
    FutureTimestampError,
    TimestampSignerError,
    check_timestamp,
)
from sealstead.errors import VerificationError
from sealstead.formats import der
from sealstead.formats.cms import (
    SignedDigestError,
    SignerChain,
    WeakDigestError,
    build_signed_data,
    signed_attributes,
)
from sealstead.formats.tsp import ID_TST_INFO, TimestampMismatchError

SIGNATURE = b"the bytes of a signature"
IMPRINT = hashlib.sha256(SIGNATURE).digest()
ROOTS = Roots((root().certificate,))
STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


def check(token: bytes, roots: Roots | None = ROOTS, nonce: int | None = None) -> CheckedTimestamp:
    return check_timestamp(token, SIGNATURE, roots=roots, now=NOW, nonce=nonce)


def refused(token: bytes, error: type[VerificationError], roots: Roots | None = ROOTS) -> None:
    with pytest.raises(VerificationError) as caught:
        check(token, roots)
    assert type(caught.value) is error


@pytest.mark.parametrize("alg", ["SHA256", "SHA384", "SHA512"])
def test_a_time_stamp_that_holds(alg: str) -> None:
    checked = check(stamp(hashlib.new(alg, SIGNATURE).digest(), alg=alg, nonce=7), nonce=7)
    assert (checked.at, checked.authority_name, checked.alg) == (NOW, "CN=Test Time", alg)
    assert [one.subject for one in checked.chain][-1] == root().certificate.subject


def test_without_roots_nobody_is_asked_where_it_leads() -> None:
    stranger = issue(issue(None, "ec", "Stranger"), "ec", "Time", usage=STAMPING, critical_usage=True)
    token = stamp(IMPRINT, holder=stranger)
    assert check(token, None).chain == ()
    refused(token, UntrustedChainError)


def test_of_something_else() -> None:
    refused(stamp(bytes(32)), TimestampMismatchError)
    refused(stamp(hashlib.sha1(SIGNATURE).digest(), alg="SHA1"), WeakDigestError)  # noqa: S324
    with pytest.raises(TimestampMismatchError):
        check(stamp(IMPRINT, nonce=1), nonce=2)


def test_changed_after_it_was_made() -> None:
    token = stamp(IMPRINT, at="20200101000000Z")
    refused(token.replace(b"20200101000000Z", b"20190101000000Z"), SignedDigestError)


@pytest.mark.parametrize(
    ("ahead", "holds"), [(timedelta(minutes=10), True), (timedelta(minutes=10, seconds=1), False)]
)
def test_from_the_future(ahead: timedelta, holds: bool) -> None:
    token = stamp(IMPRINT, at=f"{NOW + ahead:%Y%m%d%H%M%SZ}")
    if holds:
        assert check(token).at == NOW + ahead
    else:
        refused(token, FutureTimestampError)


@pytest.mark.parametrize(
    "holder",
    [
        leaf("rsa"),
        issue(root(), "ec", "Not critical", usage=STAMPING),
        issue(root(), "ec", "No usage", usage=None),
    ],
)
def test_a_certificate_that_is_not_for_time_stamping_alone(holder: Holder) -> None:
    refused(stamp(IMPRINT, holder=holder), CertificatePurposeError)


def test_a_certificate_that_had_ended() -> None:
    ended = issue(root(), "ec", "Ended", usage=STAMPING, critical_usage=True, after=-timedelta(days=1))
    refused(stamp(IMPRINT, holder=ended), CertificateNotValidError)
    before = f"{NOW - timedelta(days=2):%Y%m%d%H%M%SZ}"
    assert check(stamp(IMPRINT, holder=ended, at=before)).at == NOW - timedelta(days=2)


def test_another_certificate_in_its_place() -> None:
    refused(stamp(IMPRINT, named=leaf()), TimestampSignerError)


def test_a_token_that_names_no_certificate() -> None:
    info = tst_info(IMPRINT)
    attributes = signed_attributes(ID_TST_INFO, hashlib.sha256(info).digest())
    token = build_signed_data(
        content=der.octets(info),
        content_type_oid=ID_TST_INFO,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=authority().sign(attributes),
        signer=SignerChain(authority().der),
        key_kind="rsa",
    )
    refused(token, TimestampSignerError)
