"""Signatures: made, read, checked, and refused for the right reason."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.keys import key

from sealstead.formats import minisign
from sealstead.formats.minisign import (
    BadSignatureError,
    CommentError,
    LegacySignatureError,
    MinisignFormatError,
    Signature,
    WrongKeyError,
    digest_of,
)
from sealstead.record import replace

MESSAGE = b"what is signed"


def signed(message: bytes = MESSAGE, comment: str = "timestamp:1\tfile:x") -> Signature:
    return minisign.sign_digest(key(1), digest_of(message), trusted_comment=comment)


def legacy(message: bytes) -> Signature:
    private = Ed25519PrivateKey.from_private_bytes(key(1).seed.reveal())
    made = private.sign(message)
    return replace(
        signed(),
        prehashed=False,
        signature=made,
        global_signature=private.sign(made + b"timestamp:1\tfile:x"),
    )


def test_a_signature_comes_back_from_its_file() -> None:
    signature = signed(comment="t\u00e9st")
    assert minisign.parse_signature(minisign.serialize_signature(signature)) == signature
    minisign.verify_digest(key(1).public, digest_of(MESSAGE), signature)
    minisign.verify_message(key(1).public, MESSAGE, signature)
    assert signature.id == key(1).public.id


def test_a_changed_message_comment_or_signature_is_refused() -> None:
    public, digest = key(1).public, digest_of(MESSAGE)
    flipped = bytes([signed().signature[0] ^ 1]) + signed().signature[1:]
    for wrong in (
        replace(signed(), trusted_comment="timestamp:2\tfile:x"),
        replace(signed(), signature=flipped),
        replace(signed(), global_signature=signed(comment="other").global_signature),
        signed(b"something else"),
    ):
        with pytest.raises(BadSignatureError) as caught:
            minisign.verify_digest(public, digest, wrong)
        assert caught.value.code == "bad-signature"


def test_another_key_is_told_from_a_bad_signature() -> None:
    with pytest.raises(WrongKeyError, match=key(1).public.id):
        minisign.verify_digest(key(2).public, digest_of(MESSAGE), signed())


def test_legacy_is_refused_unless_asked_for() -> None:
    public = key(1).public
    with pytest.raises(LegacySignatureError):
        minisign.verify_message(public, MESSAGE, legacy(MESSAGE))
    with pytest.raises(LegacySignatureError):
        minisign.verify_digest(public, digest_of(MESSAGE), legacy(MESSAGE))
    minisign.verify_message(public, MESSAGE, legacy(MESSAGE), allow_legacy=True)
    with pytest.raises(BadSignatureError):
        minisign.verify_message(public, b"other", legacy(MESSAGE), allow_legacy=True)


def test_a_relabelled_signature_signs_no_digest() -> None:
    """An ED signature, called Ed, would verify as a legacy signature of the 64 bytes of the digest."""
    relabelled = replace(signed(), prehashed=False)
    with pytest.raises(LegacySignatureError, match="64 bytes"):
        minisign.verify_message(key(1).public, digest_of(MESSAGE), relabelled, allow_legacy=True)


def test_bare_signatures_are_those_of_the_digest() -> None:
    bare = minisign.sign_bare(key(1), MESSAGE)
    assert bare == signed().signature
    minisign.verify_bare(key(1).public, MESSAGE, bare)
    for wrong in (bare[:-1], b"", bytes(64), bare + b"x"):
        with pytest.raises(BadSignatureError):
            minisign.verify_bare(key(1).public, MESSAGE, wrong)


def test_what_does_not_verify_is_not_handed_out() -> None:
    """A flipped bit between key and signature must not leave the machine: it could give the key away."""
    broken = replace(key(1), public=replace(key(1).public, key=key(2).public.key))
    with pytest.raises(BadSignatureError):
        minisign.sign_digest(broken, digest_of(MESSAGE), trusted_comment="")
    with pytest.raises(BadSignatureError):
        minisign.sign_bare(broken, MESSAGE)


def test_a_comment_cannot_smuggle_lines_into_the_file() -> None:
    with pytest.raises(CommentError):
        signed(comment="x\ntrusted comment: y")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:3],
        lambda lines: [*lines, "more"],
        lambda lines: [lines[0], lines[1][:-4], *lines[2:]],
        lambda lines: [lines[0], lines[1].replace("R", "S", 1), *lines[2:]],
        lambda lines: [*lines[:3], lines[3][:-4]],
        lambda lines: [*lines[:2], lines[2] + "\x1b[2J", lines[3]],
        lambda lines: [*lines[:2], lines[2].removeprefix("trusted comment: "), lines[3]],
        lambda lines: [lines[2], lines[1], lines[0], lines[3]],
    ],
)
def test_other_files_are_refused(change: object) -> None:
    lines = minisign.serialize_signature(signed()).decode().splitlines()
    assert callable(change)
    with pytest.raises(MinisignFormatError):
        minisign.parse_signature("\n".join(change(lines)).encode())
