"""`verify`, as people and scripts see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Command, Done
from tests.keys import key
from tests.signed_files import signed_beside, signed_pe, signed_script
from tests.signers import issue, leaf, root

from sealstead.formats.minisign import digest_of, serialize_public_key, serialize_signature, sign_digest


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with signed files, and the root that they lead to."""
    path = tmp_path_factory.mktemp("signed")
    (path / "root.pem").write_bytes(root().pem)
    (path / "app.exe").write_bytes(signed_pe(holder=leaf("rsa")))
    (path / "stranger.exe").write_bytes(signed_pe(holder=issue(issue(None, "ec", "S"), "ec", "Stranger")))
    (path / "changed.ps1").write_bytes(signed_script().replace(b"Write-Host 1", b"Write-Host 2"))
    signed_beside(path)
    made = sign_digest(key(1), digest_of(b"any"), trusted_comment="c")
    (path / "any.tar").write_bytes(b"any")
    (path / "any.tar.minisig").write_bytes(serialize_signature(made))
    return path


def verify(sealstead: Command, place: Path, *arguments: object) -> Done:
    return sealstead("signing", "verify", "-b", place, *arguments)


def test_everything_holds(sealstead: Command, place: Path) -> None:
    done = verify(sealstead, place, "--root", "root.pem", "app.exe", "release.zip", "-v")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "app.exe: ok"
    assert lines[1].split() == [
        "1.",
        "digest",
        "ok",
        "the",
        "file",
        "has",
        "the",
        "SHA256",
        "digest",
        "that",
        "was",
        "signed",
    ]
    assert [line.split()[2] for line in lines[1:5]] == ["ok", "ok", "ok", "none"]
    assert "CN=Test Signer" in done.out


def test_one_that_does_not_hold_is_enough(sealstead: Command, place: Path) -> None:
    done = verify(sealstead, place, "--root", "root.pem", "*.exe", "*.ps1", "--json")
    assert done.code == 1
    document = json.loads(done.out)
    found = {one["file"]: one for one in document["files"]}
    assert document["ok"] is False
    assert {name: one["ok"] for name, one in found.items()} == {
        "app.exe": True,
        "stranger.exe": False,
        "changed.ps1": False,
    }
    states = [step["state"] for step in found["changed.ps1"]["signatures"][0]["steps"]]
    assert states == ["failed", "passed", "passed", "absent"]


def test_public_roots_are_asked_where_none_is_named(sealstead: Command, place: Path) -> None:
    done = verify(sealstead, place, "app.exe")
    assert done.code == 1
    assert "3. chain       FAILED" in done.out
    assert "hint: name the root that it should lead to: --root FILE" in done.out
    lenient = verify(sealstead, place, "app.exe", "--allow-untrusted")
    assert (lenient.code, "untrusted" in lenient.out) == (0, True)


def test_minisign(sealstead: Command, place: Path) -> None:
    text = serialize_public_key(key(1).public).decode()
    (place / "key.pub").write_text(text)
    for named in ("key.pub", text.splitlines()[1]):
        done = verify(sealstead, place, "any.tar", "--public-key", named)
        assert done.code == 0, done.out
    assert verify(sealstead, place, "any.tar.minisig").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.exe"], 2, "missing.exe does not exist"),
        ([], 2, "no file was named"),
        (["app.exe", "--root", "app.exe"], 2, "holds no certificate"),
        (["app.exe", "--root", "nowhere.pem"], 2, "cannot be read"),
        (["app.exe", "--public-key", "RWnonsense"], 1, "minisign"),
        (["app.exe", "--file-list", "nowhere.txt"], 2, "nowhere.txt cannot be read"),
    ],
)
def test_what_cannot_be_asked(
    sealstead: Command, place: Path, arguments: list[str], code: int, words: str
) -> None:
    done = verify(sealstead, place, *arguments)
    assert done.code == code
    assert words in done.err
    assert done.out == ""


def test_a_list_of_files(sealstead: Command, place: Path) -> None:
    (place / "list.txt").write_text("app.exe\nstranger.exe\n!stranger.exe\n")
    done = verify(sealstead, place, "--file-list", "list.txt", "--root", "root.pem")
    assert (done.code, done.out.splitlines()[0]) == (0, "app.exe: ok")
