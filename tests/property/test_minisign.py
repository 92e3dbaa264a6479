"""Laws of minisign keys and signatures."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.keys import key

from sealstead.errors import ParseError, SealsteadError, VerificationError
from sealstead.formats.minisign import (
    SecretKey,
    digest_of,
    make_secret_key,
    matches_key_id,
    parse_key_id,
    parse_public_key,
    parse_secret_key,
    parse_signature,
    serialize_public_key,
    serialize_secret_key,
    serialize_signature,
    sign_bare,
    sign_digest,
    verify_bare,
    verify_message,
)
from sealstead.formats.minisign_key import TEST_ONLY
from sealstead.secret import Secret

keys = st.builds(make_secret_key, st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8))
printable = st.characters(exclude_categories=["Cc", "Cs"])
comments = st.text(printable, max_size=300)
passphrases = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n"), max_size=40)


@given(keys)
def test_keys_come_back(made: SecretKey) -> None:
    assert parse_public_key(serialize_public_key(made.public)) == made.public
    assert parse_public_key(made.public.line) == made.public
    opened = parse_secret_key(serialize_secret_key(made, passphrase=None)).open()
    assert (opened.public, opened.seed.reveal()) == (made.public, made.seed.reveal())
    assert parse_key_id(made.public.id.lower()) == made.public.id
    assert matches_key_id(made.public.key_id.hex(), made.public)


@settings(deadline=None)
@given(keys, passphrases, passphrases, st.binary(min_size=32, max_size=32))
def test_only_its_passphrase_opens_a_key(made: SecretKey, right: str, wrong: str, salt: bytes) -> None:
    sealed = serialize_secret_key(made, passphrase=Secret(right), salt=salt, limits=TEST_ONLY)
    file = parse_secret_key(sealed)
    assert file.open(Secret(right)).seed.reveal() == made.seed.reveal()
    if wrong != right:
        with pytest.raises(SealsteadError):
            file.open(Secret(wrong))


@given(st.binary(max_size=200), comments, comments)
def test_signatures_come_back_and_verify(message: bytes, trusted: str, untrusted: str) -> None:
    made = sign_digest(key(1), digest_of(message), trusted_comment=trusted, untrusted_comment=untrusted)
    read = parse_signature(serialize_signature(made))
    assert read == made
    verify_message(key(1).public, message, read)
    verify_bare(key(1).public, message, sign_bare(key(1), message))


@given(st.data())
def test_no_bit_of_a_signature_can_be_changed(data: st.DataObject) -> None:
    made = serialize_signature(sign_digest(key(1), digest_of(b"m"), trusted_comment="t"))
    lines = made.splitlines()
    number = data.draw(st.sampled_from([1, 3]))
    body = bytearray(base64.b64decode(lines[number]))
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8
    lines[number] = base64.b64encode(body)
    with pytest.raises((ParseError, VerificationError)):
        verify_message(key(1).public, b"m", parse_signature(b"\n".join(lines)), allow_legacy=True)
