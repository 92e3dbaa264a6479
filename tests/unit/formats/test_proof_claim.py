from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from sealstead.formats.minisign import make_secret_key
from sealstead.formats.proof_claim import (
    ProofContext,
    ProofFormatError,
    canonical,
    decode,
    encode,
    is_claim_message,
    make_claim,
    parse_proof,
)

KEY = make_secret_key(bytes(range(32)), bytes(range(8))).public
CONTEXT = ProofContext(package="pypi-profile-ada", username="ada", url="https://ada.example/ü")
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
END = datetime(2027, 11, 21, 12, tzinfo=UTC)


def test_the_full_claim_is_written_as_the_existing_tool_writes_it() -> None:
    claim = make_claim(KEY, CONTEXT, form="full", at=AT, expires_at=END, nonce=bytes(range(16)))
    assert canonical(claim) == (
        b'{"claim":"controls-url","expires_at":"2027-11-21T12:00:00Z","issued_at":"2026-11-21T12:00:00Z",'
        b'"key_id":"0001020304050607","nonce":"00010203-0405-4607-8809-0a0b0c0d0e0f",'
        b'"profile_package":"pypi-profile-ada","pypi_username":"ada","signature_backend":"minisign",'
        b'"subject":"https://ada.example/\\u00fc"}'
    )


def test_the_short_claims_are_written_as_the_existing_tool_writes_them() -> None:
    compact = make_claim(KEY, CONTEXT, form="compact", at=AT, expires_at=END, nonce=bytes(16))
    assert (
        canonical(compact, escaped=False)
        == (
            '{"e":1826798400,"i":1795262400,"n":"AAAAAAAAAAAAAAAAAAAAAA","p":"pypi-profile-ada",'
            '"s":"https://ada.example/ü","u":"ada"}'
        ).encode()
    )
    tiny = make_claim(KEY, CONTEXT, form="tiny", at=AT, expires_at=END, nonce=bytes(16))
    assert canonical(tiny) == b'{"p":"pypi-profile-ada","s":"https://ada.example/\\u00fc","u":"ada","y":2026}'


def test_half_a_surrogate_pair_has_one_spelling_only() -> None:
    claim = {"p": "p", "u": "u", "s": "\ud800", "i": 1, "e": 2, "n": "", "g": "AA"}
    proof = parse_proof(encode(json.dumps(claim).encode()))
    assert b"\\ud800" in proof.messages[0]


def test_padding_is_read_and_surplus_bits_are_not() -> None:
    assert decode("AA==") == decode("AA") == b"\0"
    for text in ("AB", "A", "A A", "AA\n", "A+", "é"):
        with pytest.raises(ProofFormatError):
            decode(text)
    assert encode(b"\xfb\xff") == base64.urlsafe_b64encode(b"\xfb\xff").decode().rstrip("=")


@pytest.mark.parametrize("data", [b"", b"{}", b'{"p": 1}', b"\xff", b"plain text", b"[1]"])
def test_other_files_are_no_claims(data: bytes) -> None:
    assert not is_claim_message(data)


def nested(depth: int, **more: object) -> bytes:
    inner = "[" * depth + "]" * depth
    claim = json.dumps({"e": 2, "i": 1, "n": "x", "p": "p", "s": "s", "u": "u", **more})
    return f'{claim[:-1]},"z":{inner}}}'.encode()


@pytest.mark.parametrize("depth", [1, 20, 400, *range(900, 1000, 4), 5000])
def test_what_is_nested_is_no_proof_and_still_not_signed_as_a_file(depth: int) -> None:
    """At each depth, and with less stack too: neither the reader nor the writer of JSON may decide what is a claim."""

    def check() -> None:
        with pytest.raises(ProofFormatError):
            parse_proof(encode(nested(depth, g="AA")))
        assert is_claim_message(nested(depth))

    check()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(check).result()


@pytest.mark.parametrize("value", [1.5, True, None, [], {}, ["x"]])
def test_a_claim_holds_texts_and_numbers_only(value: object) -> None:
    claim = {"p": "p", "u": "u", "s": "s", "i": 1, "e": 2, "n": "", "g": "AA"}
    assert parse_proof(encode(json.dumps({**claim, "z": "x"}).encode())).context.package == "p"
    with pytest.raises(ProofFormatError):
        parse_proof(encode(json.dumps({**claim, "z": value}).encode()))


@pytest.mark.parametrize(
    "text",
    [
        '{"p":"p","s":"s","u":"u","y":2026}',
        '{"p":"p","s":"s","u":"u","y":' + "1" * 5000 + "}",
        '{"profile_package":"p","pypi_username":"u","subject":"s"}',
        '{"claim":"controls-url","subject":"s"}',
        '{"p":1,"p":"p","s":"s","u":"u"}',
    ],
)
def test_what_any_reader_may_take_for_a_claim_is_reserved(text: str) -> None:
    assert is_claim_message(text.encode())
