"""`sign` and `timestamp`, as a person or a pipeline calls them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.executables import launcher
from tests.signing_stand_in import KEY, StandIn, serving
from tests.tsa import Tsa
from tests.tsa import serving as serving_tsa

from sealstead.cli.main import run
from sealstead.cli.signing.main import signing


class Done(NamedTuple):
    code: int
    out: str
    err: str

    def document(self) -> Any:
        return json.loads(self.out)

    def error(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.err.strip().splitlines()[-1])["error"]
        return value


Tool = Callable[..., Done]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    with serving_tsa(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which the command runs: two programs, something else, and a key file."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("SIGNOTAUR_API_KEY", "SIGNOTAUR_SERVER"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name, data in (("a.exe", launcher()), ("b.exe", launcher("w64.exe")), ("c.msi", b"msi")):
        (work / name).write_bytes(data)
    (work / "key.txt").write_text(f"{KEY}\n")
    (work / "key.txt").chmod(0o600)
    server.asked.clear()
    server.paths.clear()
    server.expires_in_seconds = server.retires_at = None
    return work


@pytest.fixture
def tool(place: Path, server: StandIn, capsys: pytest.CaptureFixture[str]) -> Tool:
    def call(*arguments: object) -> Done:
        given = [str(argument) for argument in arguments]
        if given[0] == "sign":
            given[1:1] = ["--af", "key.txt", "-s", server.url]
        code = run(signing, "SignotaurTool", given)
        return Done(code, *capsys.readouterr())

    return call


def test_the_line_of_the_mission_document(tool: Tool, place: Path) -> None:
    done = tool("sign", "--label", "production", "--fd", "SHA256", "a.exe")
    assert (done.code, done.out) == (0, "a.exe: signed\n")
    assert len((place / "a.exe").read_bytes()) > len(launcher())


def test_long_and_short_names_of_options(tool: Tool, server: StandIn, tsa: Tsa, place: Path) -> None:
    (place / "list.txt").write_text("*.exe\n!b.exe\n")
    done = tool(
        "sign",
        *("--file-list", "list.txt", "--sb", "authenticode (2027)", "--fd", "sha384", "-d", "Ada's", "--nb"),
        *("--du", "https://ada.example", "--tr", f"{tsa.url}/500", "--td", "SHA512"),
        *("--app-name", "Ada", "--auto-self-update", "--um", "Version", "-v"),
        *("--fallback-timestamp-server", tsa.url, "--max-degree-of-parallelism", "2", "--verify-after"),
    )
    assert (done.code, done.out[:8]) == (0, "a.exe: s")
    (asked,) = server.asked
    names = ("subject", "algorithm", "description", "description_url")
    assert [asked[name] for name in names] == [
        "authenticode (2027)",
        "SHA384",
        "Ada's",
        "https://ada.example",
    ]
    assert "asking another time-stamp server" in done.err
    for name in ("--app-name", "--auto-self-update", "--update-mode"):
        assert f"{name}: of no effect here" in done.err


def test_a_failure_is_told_with_what_was_left(tool: Tool, server: StandIn, place: Path) -> None:
    done = tool("sign", "--label", "production", "*.exe", "c.msi")
    assert (done.code, done.out) == (2, "")
    assert "error: c.msi: not a kind of file into which a signature can be put" in done.err
    assert "3 files: 1 failed, 2 left as they were" in done.err
    done = tool("sign", "--label", "production", "*.exe", "c.msi", "gone.exe", "--continue-on-failure")
    assert (done.code, done.out) == (1, "a.exe: signed\nb.exe: signed\n")
    assert "error: gone.exe: no file" in done.err
    assert "4 files: 2 failed, 2 signed" in done.err
    (place / "text.exe").write_text("no program")
    done = tool("sign", "--label", "production", "a.exe", "text.exe")
    assert (done.code, "error: text.exe: not a Windows program" in done.err) == (1, True)


def test_names_that_are_no_text_or_would_forge_a_line(tool: Tool, place: Path) -> None:
    odd = [os.fsdecode(b"bad\xff.ps1"), "new\nother.exe: signed.ps1"]
    for name in odd:
        (place / name).write_text("Write-Host 1\n")
    told = tool("sign", "--label", "production", "*.ps1", "--json")
    told.out.encode()  # strict: what is no text would be no JSON either
    assert [row["file"] for row in told.document()["files"]] == odd
    lines = tool("sign", "--label", "production", "*.ps1").out.splitlines()
    assert lines == ["bad\\udcff.ps1: signed", "new\\u000aother.exe: signed.ps1: signed"]
    checked = tool("verify", "new*", "--allow-untrusted").out.splitlines()
    assert not any(line.startswith("other.exe") for line in checked)


def test_json_names_every_file(tool: Tool, tsa: Tsa) -> None:
    done = tool("sign", "--label", "production", "*.exe", "c.msi", "--continue-on-failure", "--json")
    assert done.code == 2
    document = done.document()
    assert [(row["file"], row["status"]) for row in document["files"]] == [
        ("a.exe", "signed"),
        ("b.exe", "signed"),
        ("c.msi", "failed"),
    ]
    assert document["files"][2]["error"]["code"] == "unsupported-file-type"
    assert document["counts"] == {"signed": 2, "failed": 1, "not-reached": 0}
    missing = tool("sign", "--label", "production", "a.exe", "gone.exe", "--continue-on-failure", "--json")
    assert missing.document()["files"][1]["error"]["message"] == "no file"
    assert {row["request_id"] for row in document["files"]} == {"request-1", None}
    done = tool("timestamp", "*.exe", "--tr", tsa.url, "--json")
    assert [row["status"] for row in done.document()["files"]] == ["time-stamped"] * 2
    assert all(row["timestamp"].endswith("Z") for row in done.document()["files"])


def test_a_refusal_is_one_document_and_exit_code(tool: Tool, server: StandIn) -> None:
    done = tool("sign", "--label", "nobody", "a.exe", "--json")
    assert (done.code, done.out, done.error()["code"]) == (1, "", "no-certificate")
    for arguments in (
        ["a.exe"],
        ["--label", "x", "--thumbprint", "y", "a.exe"],
        ["--label", "production", "--td", "SHA256", "a.exe"],
        ["--label", "production", "--fd", "MD5", "a.exe"],
        ["--label", "production", "gone.exe"],
        ["--label", "production"],
        ["--label", "production", "a.exe", "--fail-if-expiring-within", "soon"],
        ["--label", "production", "a.exe", "--ac", "key.txt"],
        ["--label", "production", "a.exe", "--file-list", "gone.txt"],
    ):
        assert tool("sign", *arguments).code == 2, arguments
    assert server.asked == []


@pytest.mark.parametrize(
    ("seconds", "retires", "code"),
    [
        (None, None, 0),
        (7 * 86400 + 60, None, 0),
        (7 * 86400, None, 4),
        (0, None, 4),
        (None, "2020-01-01T00:00:00Z", 4),
        (90 * 86400, "2026-11-22T12:00:00Z", 4),
        (None, "2099-01-01T00:00:00Z", 0),
    ],
)
def test_a_key_that_ends_soon_signs_nothing(
    tool: Tool, server: StandIn, place: Path, seconds: int | None, retires: str | None, code: int
) -> None:
    server.expires_in_seconds, server.retires_at = seconds, retires
    done = tool("sign", "--label", "production", "a.exe", "--fail-if-expiring-within", "7d", "--json")
    assert done.code == code
    assert bool(server.asked) == (code == 0)
    if code:
        assert done.error()["code"] == "api-key-expiring"
        assert (place / "a.exe").read_bytes() == launcher()


def test_settings_file(tool: Tool, server: StandIn, place: Path, tsa: Tsa) -> None:
    settings = place.parent / "home/.signotaur/config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        json.dumps({"label": "production", "fileDigest": "SHA512", "timestampServer": tsa.url})
    )
    done = tool("sign", "a.exe")
    assert done.code == 0, done.err
    assert server.asked[0]["algorithm"] == "SHA512"
    assert "UTC" in done.out


def test_dry_run(tool: Tool, server: StandIn, place: Path) -> None:
    done = tool("sign", "--label", "production", "**/*.exe", "--dry-run")
    assert done.out == "".join(
        f"{name}: would be signed as a Windows program, SHA256\n" for name in ("a.exe", "b.exe")
    )
    assert ((place / "a.exe").read_bytes(), server.asked) == (launcher(), [])


def test_timestamp_needs_a_server_and_skips_what_is_not_signed(tool: Tool, tsa: Tsa) -> None:
    assert tool("timestamp", "a.exe").code == 2
    done = tool("timestamp", "a.exe", "c.msi", "--tr", tsa.url)
    assert (done.code, done.out) == (
        0,
        "a.exe: skipped: has no signature\nc.msi: skipped: has no signature\n",
    )


def test_a_server_that_is_gone(tool: Tool, place: Path) -> None:
    done = tool("sign", "--label", "production", "a.exe", "-s", "http://127.0.0.1:9", "--rf", "0")
    assert done.code == 5
    assert (place / "a.exe").read_bytes() == launcher()
