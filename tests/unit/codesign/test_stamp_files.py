"""Time-stamps for files that are signed already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.executables import launcher, tiny_pe
from tests.signers import detached, signature
from tests.tsa import Tsa, serving

from sealstead.clock import SystemClock
from sealstead.codesign.kinds import KINDS
from sealstead.codesign.outcomes import Outcome, Selector, Wishes
from sealstead.codesign.placing import place
from sealstead.codesign.signatures import CMS_TIMESTAMP
from sealstead.codesign.stamp_files import stamp_targets
from sealstead.codesign.stamper import Stamper
from sealstead.codesign.targets import find_targets
from sealstead.formats.authenticode import timestamp_tokens
from sealstead.formats.cms import parse_signed_data
from sealstead.net.tsa import Authorities

PE, POWERSHELL, CMS, _ = KINDS


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    with serving(tmp_path_factory.mktemp("tsa")) as running:
        yield running


def signed(path: Path, data: bytes, algorithm: str = "SHA256") -> Path:
    path.write_bytes(data)
    kind = {".exe": PE, ".ps1": POWERSHELL}.get(path.suffix, CMS)
    digested = kind.handler.digest(path, [algorithm])
    digest = digested.digests[algorithm]
    made = (
        detached(digest, alg=algorithm) if kind is CMS else signature(digest, kind=kind.wire, alg=algorithm)  # type: ignore[arg-type]
    )
    assert place([kind.handler.prepared(digested, made)], jobs=1) == {}
    return path


def tokens(path: Path) -> int:
    if path.suffix not in (".exe", ".ps1"):
        found = parse_signed_data(Path(f"{path}.p7s").read_bytes())
        return len(found.signer.unsigned_values(CMS_TIMESTAMP))
    kind = PE if path.suffix == ".exe" else POWERSHELL
    return len(timestamp_tokens(parse_signed_data(kind.handler.digest(path, ["SHA256"]).existing or b"")))


def stamp(tsa: Tsa, *names: Path | str, path: str = "", go_on: bool = False) -> list[Outcome]:
    stamper = Stamper(
        Authorities([f"{tsa.url}/{path}"], retries=0, pause=lambda _: None),
        algorithm="SHA256",
        clock=SystemClock(),
    )
    wishes = Wishes(selector=Selector(), stamper=stamper, go_on=go_on)
    targets = find_targets([str(name) for name in names])
    return [outcome for batch in stamp_targets(targets, wishes) for outcome in batch]


def states(outcomes: list[Outcome]) -> list[str]:
    return [outcome.error.code if outcome.error else outcome.status for outcome in outcomes]


def test_signed_files_get_one_time_stamp(tsa: Tsa, tmp_path: Path) -> None:
    files = [
        signed(tmp_path / "a.exe", launcher()),
        signed(tmp_path / "b.exe", tiny_pe(checksum=1), "SHA384"),
        signed(tmp_path / "a.ps1", b"Get-Date\r\n"),
        signed(tmp_path / "a.zip", b"zip"),
    ]
    assert [tokens(path) for path in files] == [0, 0, 0, 0]
    for _ in range(2):  # the second time, it is replaced
        assert states(stamp(tsa, *files)) == ["time-stamped"] * 4
        assert [tokens(path) for path in files] == [1, 1, 1, 1]
    assert states(stamp(tsa, f"{files[-1]}.p7s")) == ["time-stamped"]


def test_files_without_a_signature_are_skipped(tsa: Tsa, tmp_path: Path) -> None:
    files = [tmp_path / "a.exe", tmp_path / "a.ps1", tmp_path / "a.zip"]
    for path, data in zip(files, (launcher(), b"Get-Date\r\n", b"zip"), strict=True):
        path.write_bytes(data)
    outcomes = stamp(tsa, *files)
    assert [(outcome.status, outcome.note) for outcome in outcomes] == [("skipped", "has no signature")] * 3


def test_a_signature_of_another_content_gets_no_time_stamp(tsa: Tsa, tmp_path: Path) -> None:
    program = signed(tmp_path / "a.exe", launcher())
    data = bytearray(program.read_bytes())
    data[0x1000] ^= 1
    program.write_bytes(data)
    archive = signed(tmp_path / "a.zip", b"zip")
    archive.write_bytes(b"changed")
    assert states(stamp(tsa, program, archive, go_on=True)) == ["signature-not-of-file"] * 2
    assert program.read_bytes() == data


def test_a_signature_that_does_not_hold_gets_no_time_stamp(tsa: Tsa, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"zip")
    made = detached(hashlib.sha256(b"zip").digest())
    (tmp_path / "a.zip.p7s").write_bytes(made[:-4] + bytes([made[-4] ^ 1]) + made[-3:])
    assert states(stamp(tsa, archive)) == ["bad-cms-signature"]


def test_without_an_answer_a_file_stays_as_it_was(tsa: Tsa, tmp_path: Path) -> None:
    program = signed(tmp_path / "a.exe", launcher())
    before = program.read_bytes()
    assert states(stamp(tsa, program, path="500")) == ["no-timestamp"]
    assert program.read_bytes() == before
