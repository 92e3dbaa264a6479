"""A signature that others made, with two signers and their time-stamps, against the roots that Windows trusts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealstead.codesign.chain import CertificateNotValidError, check_chain, load_certificate, readable
from sealstead.codesign.roots import Roots
from sealstead.codesign.timestamp_check import check_timestamp
from sealstead.formats.authenticode import (
    check_one_digest,
    nested_signatures,
    read_indirect,
    timestamp_tokens,
)
from sealstead.formats.cms import SignedData, parse_signed_data, verify_signer
from sealstead.formats.opus_info import read_opus
from sealstead.formats.trust_list import CODE_SIGNING
from sealstead.formats.tsp import TimestampMismatchError

VECTOR = Path(__file__).parents[2] / "vectors" / "authenticode" / "microsoft.p7"
PUBLIC = Roots(with_public=True)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def signatures() -> list[SignedData]:
    first = parse_signed_data(VECTOR.read_bytes())
    return [first, *map(parse_signed_data, nested_signatures(first))]


def test_both_signatures_hold_at_the_moment_of_their_time_stamps() -> None:
    for signed in signatures():
        certificate = load_certificate(verify_signer(signed))
        others = readable(signed.certificates)
        (token,) = timestamp_tokens(signed)
        stamped = check_timestamp(token, signed.signer.signature, roots=PUBLIC, now=NOW, others=others)
        assert stamped.at.date().isoformat() == "2025-06-10"
        assert stamped.authority_name.startswith("CN=Microsoft Time-Stamp Service")
        chain = check_chain(certificate, others, roots=PUBLIC, purpose=CODE_SIGNING, at=stamped.at)
        assert "Microsoft Root Certificate Authority" in chain[-1].subject.rfc4514_string()
        with pytest.raises(CertificateNotValidError):
            check_chain(certificate, others, roots=PUBLIC, purpose=CODE_SIGNING, at=NOW)


def test_both_are_of_the_same_file() -> None:
    first, second = map(read_indirect, signatures())
    assert (first.kind, first.alg.name, first.digest) == ("pe", "SHA256", second.digest)
    for signed, indirect in zip(signatures(), (first, second), strict=True):
        check_one_digest(signed, signed.signer, indirect.alg)
    assert read_opus(signatures()[0]) == ("Microsoft", "http://www.microsoft.com")


def test_a_time_stamp_is_of_the_signature_it_stands_beside() -> None:
    one, other = signatures()
    with pytest.raises(TimestampMismatchError):
        check_timestamp(timestamp_tokens(one)[0], other.signer.signature, roots=PUBLIC, now=NOW)
