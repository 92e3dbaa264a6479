"""Time-stamps (RFC 3161): the question, and what may come back."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from tests.signers import authority, detached
from tests.stamps import response, stamp, tst_info

from sealstead.errors import ParseError
from sealstead.formats import der
from sealstead.formats.cms import verify_signer
from sealstead.formats.digests import DigestLengthError, UnknownDigestError
from sealstead.formats.tsp import (
    MalformedTimestampError,
    TimestampMismatchError,
    TimestampRefusedError,
    check_answers,
    granted_token,
    make_request,
    parse_response,
    parse_token,
)

DIGEST = hashlib.sha256(b"signature").digest()


def test_the_request_is_as_the_standard_says() -> None:
    expected = (
        "30430201013031300d060960864801650304020105000420" + DIGEST.hex() + "020800ffffffffffffff" + "0101ff"
    )
    assert make_request("SHA256", DIGEST, nonce=(1 << 56) - 1).hex() == expected
    assert make_request("SHA384", bytes(48), nonce=1)
    assert make_request("SHA512", bytes(64), nonce=1)


def test_the_request_is_of_a_digest() -> None:
    with pytest.raises(DigestLengthError):
        make_request("SHA512", DIGEST, nonce=1)
    with pytest.raises(UnknownDigestError):
        make_request("SHA1", bytes(20), nonce=1)


@pytest.mark.parametrize("status", [0, 1])
def test_granted_also_with_modifications(status: int) -> None:
    token = stamp(DIGEST, nonce=5)
    read = parse_response(response(status, token=token))
    assert read.granted
    assert granted_token(read) == token


@pytest.mark.parametrize(
    ("status", "text", "bits", "words"),
    [
        (2, "no money\x1b[31m", None, "no money"),
        (2, None, b"\x05\x80", "hash algorithm"),
        (2, None, b"\x06\x00\x00\x00\x40", "failed"),
        (2, "full", b"\x01\x00\x02", "clock .*full"),
        (3, None, None, "waiting"),
        (0, None, None, "no time-stamp in it"),
        (99, None, None, "no time-stamp in it"),
    ],
)
def test_a_refusal_says_what_the_authority_says(
    status: int, text: str | None, bits: bytes | None, words: str
) -> None:
    with pytest.raises(TimestampRefusedError, match=words) as caught:
        granted_token(parse_response(response(status, text=text, bits=bits)))
    assert "\x1b" not in caught.value.message


def test_a_token_with_a_refusal_is_no_token() -> None:
    with pytest.raises(TimestampRefusedError):
        granted_token(parse_response(response(2, token=stamp(DIGEST))))


def test_a_token_says_what_was_stamped_when() -> None:
    at = datetime(2026, 11, 21, 12, 30, 1, 250_000, tzinfo=UTC)
    token = parse_token(stamp(DIGEST, nonce=77, at="20261121123001.25Z", accuracy=(1, 500, 20)))
    assert (token.at, token.nonce, token.alg.name, token.imprint) == (at, 77, "SHA256", DIGEST)
    assert (token.policy, token.serial) == ("1.2.3.4", 4711)
    assert token.accuracy == timedelta(seconds=1, milliseconds=500, microseconds=20)
    assert verify_signer(token.signed_data) == authority().der


def test_an_answer_to_another_question() -> None:
    token = parse_token(stamp(DIGEST, nonce=77))
    check_answers(token, alg="SHA256", imprint=DIGEST, nonce=77)
    check_answers(token, alg="SHA256", imprint=DIGEST)
    for alg, imprint, nonce in (
        ("SHA256", DIGEST, 78),
        ("SHA256", bytes(32), 77),
        ("SHA512", DIGEST, 77),
    ):
        with pytest.raises(TimestampMismatchError):
            check_answers(token, alg=alg, imprint=imprint, nonce=nonce)
    with pytest.raises(TimestampMismatchError, match="nonce"):
        check_answers(parse_token(stamp(DIGEST)), alg="SHA256", imprint=DIGEST, nonce=77)


@pytest.mark.parametrize(
    "at",
    [
        "",
        "20261121",
        "20261321000000Z",
        "20261121240000Z",
        "20261121000000",
        "20261121000000+0100",
        "2026112100000٣Z",
    ],
)
def test_a_moment_that_cannot_be(at: str) -> None:
    with pytest.raises(MalformedTimestampError):
        parse_token(stamp(DIGEST, at=at))


def test_other_signed_data_is_no_time_stamp() -> None:
    with pytest.raises(MalformedTimestampError):
        parse_token(detached(DIGEST))
    with pytest.raises(MalformedTimestampError):
        parse_token(stamp(DIGEST, info=tst_info(DIGEST).replace(der.integer(1), der.integer(2), 1)))


def test_every_cut_is_refused_by_type() -> None:
    whole = response(0, text="granted", token=stamp(DIGEST, nonce=9, accuracy=(1, 2, 3)))
    for length in range(len(whole)):
        with pytest.raises(ParseError):
            parse_response(whole[:length])


def test_a_certificate_comes_along_for_later() -> None:
    assert parse_token(stamp(DIGEST)).signed_data.certificates == (authority().der,)


def test_reasons_that_cannot_be_read() -> None:
    with pytest.raises(MalformedTimestampError):
        parse_response(response(2, bits=b""))
