"""Keys and signatures, in both directions, with C minisign."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.keys import key, key_file
from tests.programs import require_program
from tests.publisher import Publisher

from sealstead.formats.minisign import (
    digest_of,
    parse_public_key,
    parse_secret_key,
    parse_signature,
    serialize_public_key,
    serialize_secret_key,
    serialize_signature,
    sign_digest,
    verify_message,
)
from sealstead.formats.minisign_key import TEST_ONLY
from sealstead.secret import Secret

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def minisign() -> str:
    return require_program("minisign")


def run(program: str, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False, timeout=300
    )


def test_minisign_signs_with_our_key_and_we_verify(minisign: str, tmp_path: Path) -> None:
    (tmp_path / "our.key").write_bytes(key_file(1))
    (tmp_path / "file").write_bytes(b"content")
    done = run(minisign, "-S", "-s", tmp_path / "our.key", "-m", tmp_path / "file", "-t", "t\u00e9st")
    assert done.returncode == 0, done.stderr
    signature = parse_signature((tmp_path / "file.minisig").read_bytes())
    verify_message(key(1).public, b"content", signature)
    assert (signature.prehashed, signature.trusted_comment) == (True, "t\u00e9st")


def test_minisign_signs_with_our_encrypted_key(minisign: str, tmp_path: Path) -> None:
    sealed = serialize_secret_key(
        key(1), passphrase=Secret("pa\u00df"), salt=bytes(range(32)), limits=TEST_ONLY
    )
    (tmp_path / "our.key").write_bytes(sealed)
    (tmp_path / "file").write_bytes(b"content")
    arguments = ["-S", "-s", tmp_path / "our.key", "-m", tmp_path / "file"]
    assert run(minisign, *arguments, stdin="wrong\n").returncode != 0
    done = run(minisign, *arguments, stdin="pa\u00df\n")
    assert done.returncode == 0, done.stderr
    verify_message(key(1).public, b"content", parse_signature((tmp_path / "file.minisig").read_bytes()))


def test_minisign_opens_a_key_sealed_with_our_ordinary_limits(minisign: str, tmp_path: Path) -> None:
    sealed = serialize_secret_key(key(1), passphrase=Secret("pass"), salt=bytes(32))
    (tmp_path / "our.key").write_bytes(sealed)
    done = run(minisign, "-R", "-s", tmp_path / "our.key", "-p", tmp_path / "our.pub", stdin="pass\n")
    assert done.returncode == 0, done.stderr
    assert parse_public_key((tmp_path / "our.pub").read_bytes()) == key(1).public


def test_minisign_verifies_ours_and_refuses_what_was_changed(minisign: str, tmp_path: Path) -> None:
    (tmp_path / "our.pub").write_bytes(serialize_public_key(key(1).public))
    (tmp_path / "file").write_bytes(b"content")
    signature = sign_digest(key(1), digest_of(b"content"), trusted_comment="t\u00e9st")
    (tmp_path / "file.minisig").write_bytes(serialize_signature(signature))
    for named in (("-p", tmp_path / "our.pub"), ("-P", key(1).public.line)):
        done = run(minisign, "-V", "-H", *named, "-m", tmp_path / "file")
        assert done.returncode == 0, done.stderr
        assert "t\u00e9st" in done.stdout
    (tmp_path / "file").write_bytes(b"changed")
    assert run(minisign, "-V", "-p", tmp_path / "our.pub", "-m", tmp_path / "file").returncode == 1


def test_ids_are_printed_alike(minisign: str, tmp_path: Path) -> None:
    run(minisign, "-G", "-W", "-p", tmp_path / "a.pub", "-s", tmp_path / "a.key")
    text = (tmp_path / "a.pub").read_text()
    public = parse_public_key(text)
    # minisign 0.11 leaves zeros at the front away.
    assert text.splitlines()[0].endswith(f"public key {public.id.lstrip('0')}")
    assert parse_secret_key((tmp_path / "a.key").read_bytes()).open().public == public


def test_minisign_s_own_encrypted_key_is_opened(minisign: str, tmp_path: Path) -> None:
    """Takes 1 GiB and seconds: what minisign writes by default."""
    arguments = ["-G", "-p", tmp_path / "a.pub", "-s", tmp_path / "a.key"]
    done = run(minisign, *arguments, stdin="pass\npass\n")
    assert done.returncode == 0, done.stderr
    file = parse_secret_key((tmp_path / "a.key").read_bytes())
    assert file.encrypted
    assert file.open(Secret("pass")).public == parse_public_key((tmp_path / "a.pub").read_bytes())


def test_legacy_signatures_of_minisign(minisign: str, publisher: Publisher) -> None:
    here = publisher.here
    run(minisign, "-G", "-W", "-p", here / "a.pub", "-s", here / "a.key")
    (here / "file").write_bytes(b"content")
    assert run(minisign, "-S", "-l", "-s", here / "a.key", "-m", here / "file").returncode == 0
    assert publisher.run("verify-file", "-P", "a.pub", "file").code == 1
    publisher.good("verify-file", "-P", "a.pub", "--allow-legacy", "file")


def test_the_commands_work_together_with_minisign(minisign: str, publisher: Publisher) -> None:
    here, keys = publisher.here, publisher.keys
    publisher.good("keygen")
    (here / "file").write_bytes(b"content" * 1_000_000)
    publisher.good("sign-file", "file")
    assert run(minisign, "-V", "-H", "-p", keys / "minisign.pub", "-m", here / "file").returncode == 0
    (here / "file.minisig").unlink()
    assert run(minisign, "-S", "-s", keys / "minisign.key", "-m", here / "file").returncode == 0
    publisher.good("verify-file", "file")
    publisher.good("key-password", "set", "--password-stdin", stdin="pass\n")
    done = run(minisign, "-S", "-s", keys / "minisign.key", "-m", here / "file", stdin="pass\n")
    assert done.returncode == 0, done.stderr
    publisher.good("verify-file", "file")
