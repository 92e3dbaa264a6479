"""A statement counts only as it was signed: whole, tagged, by every key that it needs."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealstead.errors import ParseError, SealsteadError, VerificationError
from sealstead.formats.minisign import (
    BadSignatureError,
    SecretKey,
    WrongKeyError,
    digest_of,
    make_secret_key,
    parse_signature,
    serialize_signature,
    sign_digest,
)
from sealstead.formats.statement import (
    TAG,
    Reason,
    Revocation,
    Rotation,
    StatementError,
    StatementFormatError,
    StatementInputError,
    make_revocation,
    make_rotation,
    reserved_comment,
    reserved_message,
    verify_statement,
)

NOW = datetime(2026, 11, 21, 14, 0, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def key(number: int) -> SecretKey:
    return make_secret_key(bytes([number]) * 32, bytes([number]) * 8)


OLD, NEW, THIEF = key(1), key(2), key(3)
ROTATION = make_rotation(OLD, NEW, issued_at=NOW, retires_at=NOW + WEEK)
REVOCATION = make_revocation(NEW, OLD.public, issued_at=NOW, revoked_at=NOW - WEEK, reason=Reason.COMPROMISED)


def test_a_rotation_says_what_was_signed() -> None:
    assert verify_statement(ROTATION) == Rotation(
        predecessor=OLD.public, successor=NEW.public, issued_at=NOW, retires_at=NOW + WEEK
    )


def test_a_revocation_says_what_was_signed() -> None:
    assert verify_statement(REVOCATION) == Revocation(
        key=OLD.public,
        signer=NEW.public,
        issued_at=NOW,
        revoked_at=NOW - WEEK,
        reason=Reason.COMPROMISED,
    )


def test_line_ends_of_a_windows_file_change_nothing() -> None:
    assert verify_statement("\r\n" + ROTATION.replace("\n", "\r\n")) == verify_statement(ROTATION)


def test_parts_of_a_second_are_left_out() -> None:
    late = make_rotation(OLD, NEW, issued_at=NOW.replace(microsecond=900_000), retires_at=NOW + WEEK)
    assert late == ROTATION


@pytest.mark.parametrize("text", [ROTATION, REVOCATION], ids=["rotation", "revocation"])
def test_no_character_can_be_changed(text: str) -> None:
    for at, character in enumerate(text.rstrip("\n")):
        changed = text[:at] + ("x" if character != "x" else "y") + text[at + 1 :]
        with pytest.raises((ParseError, VerificationError)):
            verify_statement(changed)


@pytest.mark.parametrize("text", [ROTATION, REVOCATION], ids=["rotation", "revocation"])
def test_no_line_can_be_left_out_repeated_or_added(text: str) -> None:
    lines = text.splitlines()
    for at in range(len(lines)):
        for changed in (
            lines[:at] + lines[at + 1 :],
            lines[: at + 1] + lines[at:],
            [*lines[:at], "x", *lines[at:]],
        ):
            with pytest.raises((ParseError, VerificationError)):
                verify_statement("\n".join(changed))


def signed_by(keys: list[SecretKey], message: bytes, comment: str = f"{TAG}:v1:rotation") -> str:
    signatures = [
        sign_digest(
            each,
            digest_of(message),
            trusted_comment=comment,
            untrusted_comment="signature of a statement about a key",
        )
        for each in keys
    ]
    return message.decode() + "\n" + b"".join(map(serialize_signature, signatures)).decode()


MESSAGE = ROTATION.partition("\n\n")[0].encode() + b"\n"


def test_one_of_the_two_keys_is_not_enough() -> None:
    assert verify_statement(signed_by([OLD, NEW], MESSAGE)) == verify_statement(ROTATION)
    for keys in ([OLD, OLD], [NEW, NEW], [NEW, OLD], [THIEF, NEW], [OLD, THIEF]):
        with pytest.raises(WrongKeyError):
            verify_statement(signed_by(keys, MESSAGE))
    for keys in ([OLD], [NEW], [OLD, NEW, NEW]):
        with pytest.raises(StatementFormatError):
            verify_statement(signed_by(keys, MESSAGE))


def test_a_thief_with_the_id_of_a_key_is_not_the_key() -> None:
    impostor = make_secret_key(bytes([3]) * 32, OLD.public.key_id)
    with pytest.raises(BadSignatureError):
        verify_statement(signed_by([impostor, NEW], MESSAGE))


@pytest.mark.parametrize(
    "comment", ["timestamp:1\tfile:statement\thashed", f"{TAG}:v1:revocation", f"{TAG}:v2:rotation"]
)
def test_the_signature_of_a_file_with_the_same_bytes_is_no_statement(comment: str) -> None:
    with pytest.raises(StatementError):
        verify_statement(signed_by([OLD, NEW], MESSAGE, comment))


def test_a_trusted_comment_put_on_later_is_noticed() -> None:
    """What `sign-file` or a proof signed, with the tag written over the comment."""
    other = sign_digest(OLD, digest_of(MESSAGE), trusted_comment="a file")
    part = serialize_signature(other).decode().replace("a file", f"{TAG}:v1:rotation")
    part = part.replace(other.untrusted_comment, "signature of a statement about a key")
    right = ROTATION.partition("\n\n")[2].splitlines(keepends=True)
    with pytest.raises(BadSignatureError, match="trusted comment"):
        verify_statement(MESSAGE.decode() + "\n" + part + "".join(right[4:]))


def test_a_rotation_needs_two_keys_and_an_end_that_is_not_over() -> None:
    with pytest.raises(StatementInputError):
        make_rotation(OLD, OLD, issued_at=NOW, retires_at=NOW)
    with pytest.raises(StatementInputError):
        make_rotation(OLD, NEW, issued_at=NOW, retires_at=NOW - timedelta(seconds=1))
    make_rotation(OLD, NEW, issued_at=NOW, retires_at=NOW)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "lol", "sealstead statement v1: rotation\n", "\ud800", ROTATION * 20, "a\n\n" + "b\n" * 8],
)
def test_other_text_is_no_statement(text: str) -> None:
    with pytest.raises(SealsteadError) as caught:
        verify_statement(text)
    assert isinstance(caught.value, ParseError)


@pytest.mark.parametrize("comment", [TAG, f"x {TAG}:v1:rotation", TAG.upper() + ":v9", f"file:{TAG}"])
def test_the_tag_is_reserved(comment: str) -> None:
    assert reserved_comment(comment)


def test_other_comments_are_free() -> None:
    assert not reserved_comment("timestamp:1\tfile:sealstead.tar.gz\thashed")
    assert reserved_message(b"\n Sealstead Statement v7: anything")
    assert reserved_message(MESSAGE)
    assert not reserved_message(b"sealstead 1.0")


def test_minisign_checks_each_signature(tmp_path: Path) -> None:
    program = shutil.which("minisign")
    if program is None:
        pytest.skip("minisign is not installed")
    message, _, rest = ROTATION.partition("\n\n")
    (tmp_path / "statement").write_text(message + "\n")
    lines = rest.splitlines(keepends=True)
    for signer, part in ((OLD, lines[:4]), (NEW, lines[4:])):
        (tmp_path / "statement.minisig").write_text("".join(part))
        assert parse_signature("".join(part).encode()).id == signer.public.id
        done = subprocess.run(
            [program, "-V", "-P", signer.public.line, "-m", str(tmp_path / "statement")],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"{TAG}:v1:rotation" in done.stdout
