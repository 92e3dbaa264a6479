"""`sign-file` and `verify-file`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.keys import key, key_file
from tests.publisher import Publisher

from sealstead.formats.minisign import (
    digest_of,
    parse_signature,
    serialize_public_key,
    serialize_signature,
    sign_digest,
)
from sealstead.formats.minisign_text import encode_line


@pytest.fixture
def release(publisher: Publisher) -> Path:
    publisher.keys.mkdir(mode=0o700)
    (publisher.keys / "minisign.key").write_bytes(key_file(1))
    (publisher.keys / "minisign.key").chmod(0o600)
    path = publisher.here / "release.tar.gz"
    path.write_bytes(b"x" * 3_000_000)
    return path


def legacy(message: bytes) -> bytes:
    private = Ed25519PrivateKey.from_private_bytes(key(1).seed.reveal())
    made = private.sign(message)
    return (
        f"untrusted comment: x\n{encode_line(b'Ed' + key(1).public.key_id + made)}\n"
        f"trusted comment: y\n{encode_line(private.sign(made + b'y'))}\n"
    ).encode()


def test_what_is_signed_verifies(publisher: Publisher, release: Path) -> None:
    done = publisher.good("sign-file", "release.tar.gz", "--json").json
    assert done[0]["key_id"] == key(1).public.id
    comment = done[0]["trusted_comment"]
    assert comment.startswith("timestamp:")
    assert comment.endswith("\tfile:release.tar.gz\thashed")
    verified = publisher.good("verify-file", "release.tar.gz", "--json").json
    assert (verified[0]["verified"], verified[0]["trusted_comment"]) == (True, comment)
    assert comment in publisher.good("verify-file", "release.tar.gz").out


def test_many_files_at_once(publisher: Publisher, release: Path) -> None:
    (publisher.here / "empty").touch()
    publisher.good("sign-file", "release.tar.gz", "empty")
    assert publisher.good("verify-file", "release.tar.gz", "empty").out.count("good") == 2
    release.write_bytes(b"changed")
    done = publisher.run("verify-file", "release.tar.gz", "empty", "--json")
    assert (done.code, [one["verified"] for one in done.json]) == (1, [False, True])
    assert done.json[0]["code"] == "bad-signature"


def test_a_changed_file_is_refused(publisher: Publisher, release: Path) -> None:
    publisher.good("sign-file", "release.tar.gz")
    with release.open("ab") as file:
        file.write(b"x")
    done = publisher.run("verify-file", "release.tar.gz")
    assert (done.code, done.out) == (1, "")
    assert "the file was changed" in done.err


def test_the_key_to_check_with_can_be_named(publisher: Publisher, release: Path) -> None:
    publisher.good("sign-file", "release.tar.gz")
    (publisher.here / "mine.pub").write_bytes(serialize_public_key(key(1).public))
    for named in (key(1).public.line, "mine.pub"):
        publisher.good("verify-file", "--public-key", named, "release.tar.gz", "--key-dir", "nowhere")
    publisher.good("verify-file", "-P", key(1).public.line, "release.tar.gz")
    done = publisher.run("verify-file", "-P", key(2).public.line, "release.tar.gz", "--json")
    assert (done.code, done.json[0]["code"]) == (1, "wrong-key")
    done = publisher.run("verify-file", "-P", "rubbish", "release.tar.gz", "--json")
    assert (done.code, done.error) == (1, "minisign-format")
    assert "--public-key rubbish: " in done.err


def test_a_profile_names_the_key_to_check_with(publisher: Publisher, release: Path) -> None:
    publisher.good("sign-file", "release.tar.gz")
    publisher.write_profile(public_key=key(2).public.line)
    done = publisher.run("verify-file", "release.tar.gz", "--json")
    assert done.json[0]["code"] == "wrong-key"
    publisher.write_profile(public_key=key(1).public.line)
    publisher.good("verify-file", "release.tar.gz", "--key-dir", "nowhere")
    other = publisher.root / "other"
    other.mkdir()
    (other / "pypi_profile.toml").write_text(publisher.profile.read_text())
    publisher.profile.unlink()
    publisher.good("verify-file", "--profile", str(other), "release.tar.gz", "--key-dir", "nowhere")


def test_legacy_is_refused_unless_asked_for(publisher: Publisher, release: Path) -> None:
    (publisher.here / "release.tar.gz.minisig").write_bytes(legacy(release.read_bytes()))
    done = publisher.run("verify-file", "release.tar.gz", "--json")
    assert (done.code, done.json[0]["code"]) == (1, "legacy-signature")
    good = publisher.good("verify-file", "--allow-legacy", "release.tar.gz", "--json").json
    assert good[0]["legacy"] is True
    release.write_bytes(b"changed")
    assert publisher.run("verify-file", "--allow-legacy", "release.tar.gz").code == 1
    release.write_bytes(b"")
    (publisher.here / "release.tar.gz.minisig").write_bytes(legacy(b""))
    publisher.good("verify-file", "--allow-legacy", "release.tar.gz")


def test_a_relabelled_signature_does_not_sign_a_digest(publisher: Publisher, release: Path) -> None:
    """Called legacy, a signature of a file would be one of the 64 bytes of its digest, under the same name."""
    publisher.good("sign-file", "release.tar.gz")
    lines = (publisher.here / "release.tar.gz.minisig").read_text().splitlines()
    signature = parse_signature("\n".join(lines).encode())
    lines[1] = encode_line(b"Ed" + signature.key_id + signature.signature)
    (publisher.here / "forged").write_bytes(digest_of(release.read_bytes()))
    (publisher.here / "forged.minisig").write_text("\n".join(lines) + "\n")
    assert publisher.run("verify-file", "--allow-legacy", "forged").code == 1


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"profile_package": "p", "pypi_username": "u", "subject": "https://x.test", "n": 1}),
        json.dumps({"p": "p", "s": "https://x.test", "u": "u", "y": 2026}),
        ' {"u":"u",\n"p":"p","s":"s","e":1}\n',
        '{"e":1,"i":1,"n":"x","p":"p","s":"s","u":"u","z":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"e":1,"i":1,"n":"x","p":"p","s":"s","u":"u","z":' + "9" * 5_000 + "}",
        "sealstead statement v1\nanything",
        "\n Sealstead Statement v2",
    ],
)
def test_what_would_be_a_proof_or_a_statement_is_not_signed(
    publisher: Publisher, release: Path, content: str
) -> None:
    release.write_text(content)
    done = publisher.run("sign-file", "release.tar.gz", "--json")
    assert (done.code, done.error) == (1, "reserved-content")
    assert '"release.tar.gz, signed, would be' in done.err
    assert not (publisher.here / "release.tar.gz.minisig").exists()


def test_nor_is_a_comment_of_a_statement(publisher: Publisher, release: Path) -> None:
    from sealstead.formats.statement import TAG

    for comment in (TAG, f" {TAG.upper()} rotation", f"x {TAG}"):
        done = publisher.run("sign-file", "release.tar.gz", "--comment", comment, "--json")
        assert (done.code, done.error) == (1, "reserved-content")
    assert not (publisher.here / "release.tar.gz.minisig").exists()


def test_ordinary_json_is_signed(publisher: Publisher, release: Path) -> None:
    release.write_text('{"name": "x", "p": 1}')
    publisher.good("sign-file", "release.tar.gz")


def test_comments_of_one_s_own(publisher: Publisher, release: Path) -> None:
    publisher.good(
        "sign-file",
        "release.tar.gz",
        "--comment",
        "r\u00e9lease 1.0",
        "--untrusted-comment",
        "hello",
        "--output",
        "my.sig",
    )
    lines = (publisher.here / "my.sig").read_text().splitlines()
    assert (lines[0], lines[2]) == ("untrusted comment: hello", "trusted comment: r\u00e9lease 1.0")
    publisher.good("verify-file", "--signature", "my.sig", "release.tar.gz")
    done = publisher.run("sign-file", "release.tar.gz", "--comment", "two\nlines", "--json")
    assert (done.code, done.error) == (2, "minisign-comment")


def test_a_signature_of_one_s_own_is_renewed_and_nothing_else_replaced(
    publisher: Publisher, release: Path
) -> None:
    target = publisher.here / "release.tar.gz.minisig"
    other = sign_digest(key(2), digest_of(b"x"), trusted_comment="")
    for content in (b"something else", serialize_signature(other)):
        target.write_bytes(content)
        done = publisher.run("sign-file", "release.tar.gz", "--json")
        assert (done.code, done.error) == (1, "signature-exists")
        assert target.read_bytes() == content
    publisher.good("sign-file", "release.tar.gz", "--force")
    target.write_bytes(b"something else")
    done = publisher.run("sign-file", "release.tar.gz", "--force", "--json")
    assert (done.code, done.error, target.read_bytes()) == (1, "signature-exists", b"something else")
    target.unlink()
    publisher.good("sign-file", "release.tar.gz")
    release.write_bytes(b"new")
    publisher.good("sign-file", "release.tar.gz")
    publisher.good("verify-file", "release.tar.gz")
    target.unlink()
    target.symlink_to(publisher.root / "elsewhere")
    assert publisher.run("sign-file", "release.tar.gz", "--force").code == 1
    assert not (publisher.root / "elsewhere").exists()


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read_is_told(publisher: Publisher, release: Path, name: str) -> None:
    done = publisher.run("sign-file", name, "--json")
    assert (done.code, done.error) == (2, "file")
    assert publisher.run("verify-file", name, "--json").error == "file"


def test_a_missing_or_broken_signature_is_told(publisher: Publisher, release: Path) -> None:
    done = publisher.run("verify-file", "release.tar.gz", "--json")
    assert (done.code, done.error) == (2, "file")
    assert "--signature" in done.err
    (publisher.here / "release.tar.gz.minisig").write_bytes(b"broken")
    done = publisher.run("verify-file", "release.tar.gz")
    assert done.code == 1
    assert "release.tar.gz.minisig" in done.err


def test_no_key_signs_nothing(publisher: Publisher) -> None:
    (publisher.here / "file").write_text("x")
    done = publisher.run("sign-file", "file", "--json")
    assert (done.code, done.error) == (3, "no-key")


def test_an_encrypted_key_signs_with_its_passphrase(publisher: Publisher, release: Path) -> None:
    (publisher.keys / "minisign.key").write_bytes(key_file(1, "pass"))
    done = publisher.run("sign-file", "release.tar.gz", "--json")
    assert (done.code, done.error) == (3, "passphrase-needed")
    publisher.good("sign-file", "release.tar.gz", "--password-stdin", stdin="pass\n")
    publisher.good("sign-file", "release.tar.gz", answers="pass\n")
    publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "pass"
    publisher.good("sign-file", "release.tar.gz", "release.tar.gz")
    publisher.good("verify-file", "-P", key(1).public.line, "release.tar.gz")


def test_a_dry_run_writes_nothing(publisher: Publisher, release: Path) -> None:
    publisher.good("sign-file", "--dry-run", "release.tar.gz")
    assert not (publisher.here / "release.tar.gz.minisig").exists()


def test_options_for_one_file_are_for_one_file(publisher: Publisher, release: Path) -> None:
    for arguments in (
        ["sign-file", "--output", "x", "release.tar.gz", "release.tar.gz"],
        ["verify-file", "--signature", "x", "release.tar.gz", "release.tar.gz"],
        ["verify-file", "-P", key(1).public.line, "--profile", ".", "release.tar.gz"],
        ["sign-file"],
    ):
        assert publisher.run(*arguments).code == 2


def test_a_file_name_cannot_steer_the_terminal_through_the_comment(
    publisher: Publisher, release: Path
) -> None:
    strange = publisher.here / "a\x1b[2J\tb"
    strange.write_text("x")
    done = publisher.good("sign-file", strange.name, "--json").json
    assert done[0]["trusted_comment"].endswith("\tfile:a?[2J?b\thashed")


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["unasked", "forced"])
def test_a_signature_replaces_neither_a_key_nor_the_file(
    publisher: Publisher, release: Path, force: list[str]
) -> None:
    sealed = publisher.here / "sealed.key"
    sealed.write_bytes(key_file(2, "pass"))
    for target in (publisher.keys / "minisign.key", sealed, release):
        before = target.read_bytes()
        done = publisher.run("sign-file", str(release), "--output", str(target), "--json", *force)
        assert (done.code, done.error) == (1, "signature-exists")
        assert target.read_bytes() == before


# What became of the key


def test_a_revoked_key_signs_no_file_and_no_signature_of_it_counts(
    publisher: Publisher, release: Path
) -> None:
    publisher.write_profile()
    made = publisher.good("keygen", "--force", "--json").json  # the index knows of this one
    publisher.good("sign-file", "release.tar.gz")
    publisher.good("key-revoke", "--reason", "compromised", "--force")
    profile = publisher.profile.read_bytes()
    for here in (True, False):
        if not here:
            publisher.profile.unlink()
        done = publisher.run("sign-file", "--output", "new", "release.tar.gz", "--json")
        assert (done.code, done.error) == (3, "key-revoked")
        assert not (publisher.here / "new").exists()
        done = publisher.run("verify-file", "release.tar.gz", "--json")
        assert (done.code, done.json[0]["code"]) == (1, "wrong-key")
        assert f"by key {made['key_id']}, which was revoked on" in done.json[0]["message"]
    publisher.profile.write_bytes(profile)
    checks = publisher.run("doctor", "--json")
    assert checks.code == 1
    assert "was revoked on" in checks.out


def test_a_file_signed_before_a_rotation_is_explained(publisher: Publisher, release: Path) -> None:
    publisher.write_profile(public_key=key(1).public.line)
    publisher.good("sign-file", "release.tar.gz")
    new = publisher.good("key-rotate", "--json").json["new_key_id"]
    for place in ([], ["--key-dir", "nowhere"]):
        done = publisher.run("verify-file", "release.tar.gz", *place)
        assert done.code == 1
        assert f"by key {key(1).public.id}, which was replaced on" in done.err
        assert f"by key {new}" in done.err
        assert f"--public-key {key(1).public.line}" in done.err
    publisher.good("verify-file", "release.tar.gz", "--public-key", key(1).public.line)


def test_of_many_files_the_one_that_fails_is_named(publisher: Publisher, release: Path) -> None:
    (publisher.here / "empty").touch()
    publisher.good("sign-file", "release.tar.gz", "empty")
    release.write_bytes(b"changed")
    done = publisher.run("verify-file", "release.tar.gz", "empty")
    assert (done.code, done.out.count("good")) == (1, 1)
    assert "release.tar.gz: " in done.err
    done = publisher.run("verify-file", "missing.txt")
    assert (done.code, "missing.txt does not exist" in done.err) == (2, True)


def test_a_reader_without_keys_is_told_to_name_the_signer(publisher: Publisher) -> None:
    (publisher.here / "file").write_text("x")
    (publisher.here / "file.minisig").write_bytes(
        serialize_signature(sign_digest(key(1), digest_of(b"x"), trusted_comment=""))
    )
    done = publisher.run("verify-file", "file")
    assert done.code == 3
    assert "--public-key" in done.err
    assert "--profile" in done.err


@pytest.mark.parametrize("name", ["minisign.bob.pub", "keys.json", "minisign.pub", "new"])
def test_no_signature_is_written_among_the_keys(publisher: Publisher, release: Path, name: str) -> None:
    target = publisher.keys / name
    if name != "new" and "bob" not in name:
        target.write_bytes(serialize_public_key(key(1).public))
    before = sorted((path.name, path.read_bytes()) for path in publisher.keys.iterdir())
    (publisher.here / "link").symlink_to(publisher.keys)
    for place in (target, Path("link") / name):
        done = publisher.run("sign-file", "release.tar.gz", "--output", str(place), "--force", "--json")
        assert (done.code, done.error) in {(1, "key-in-the-way"), (1, "signature-exists")}
    assert (
        publisher.run("sign-file", str(publisher.keys / "minisign.key"), "--json").error == "key-in-the-way"
    )
    assert sorted((path.name, path.read_bytes()) for path in publisher.keys.iterdir()) == before
