"""`sign`, interrupted at every change that it makes to a file: each is as it was, or signed, or so after the next run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.crash.conftest import SUMMARY
from tests.crash.harness import Ran, Runner, Scenario, sweep
from tests.executables import launcher, tiny_pe
from tests.signers import leaf, signature
from tests.signing_stand_in import KEY, StandIn, serving

from sealstead.codesign.kinds import KINDS, Kind
from sealstead.codesign.placing import place
from sealstead.errors import SealsteadError
from sealstead.formats.authenticode import read_indirect
from sealstead.formats.cms import parse_signed_data, verify_signer
from sealstead.formats.pe import parse_layout

PART = 16
"""Without `--crash all`, of this many faults one is injected."""
PE, POWERSHELL, CMS, _ = KINDS
SCRIPT = "Write-Host 'hällo'\r\n".encode()
BUILT_ANEW = tiny_pe(machine=0x14C, size=0x900)
FILES = {"new.exe": launcher(), "again.exe": launcher("w64.exe"), "odd.sys": tiny_pe(checksum=7, size=0x601)}
OTHERS = {"script.ps1": SCRIPT, "data.bin": b"data"}


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    # RSA: the same signature each time, so that a run can be compared with another.
    with serving(leaf("rsa")) as running:
        yield running


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner("tests.crash.sign_product:main", "tests.crash.sign_product:prepare") as running:
        yield running


def prepare(runner: Runner) -> None:
    work = runner.case / "work"
    work.mkdir()
    (runner.case / "home").mkdir()
    (runner.case / "key.txt").write_text(KEY)
    (runner.case / "key.txt").chmod(0o600)
    for name, data in {**FILES, **OTHERS}.items():
        (work / name).write_bytes(data)
    again = PE.handler.digest(work / "again.exe", ["SHA384"])
    by_another = signature(again.digests["SHA384"], alg="SHA384", description="a longer one " * 20)
    assert place([PE.handler.prepared(again, by_another)], jobs=1) == {}


def is_signed(kind: Kind, path: Path) -> bool:
    """Return whether a file has a signature that holds."""
    try:
        digested = kind.handler.digest(path, ["SHA256"])
    except SealsteadError as exc:
        raise AssertionError(f"{path.name}: {exc.message}") from exc
    if digested.existing is None:
        return False
    signed = parse_signed_data(digested.existing)
    if kind is not CMS:
        if read_indirect(signed).alg.name != "SHA256":
            return False
        assert read_indirect(signed).digest == digested.digests["SHA256"]
    verify_signer(signed, content_digest=digested.digests["SHA256"] if kind is CMS else None)
    return True


def content(data: bytes) -> bytes:
    """Return what is signed of a program, and that its signature refers to nothing that is not there."""
    layout = parse_layout(data, len(data))
    return data[: layout.checksum_offset] + data[layout.security_offset + 8 : layout.content_end]


def scenario(server: StandIn) -> Scenario:
    def arguments(runner: Runner) -> list[str]:
        names = ["*.exe", "*.sys", "*.ps1", "data.bin"]
        options = ["--label", "mixed", "--unsupported-file-types", "detached", "--json"]
        options += ["--max-degree-of-parallelism", "1", "--rf", "0"]
        return ["sign", *names, *options, "-s", server.url, "--af", str(runner.case / "key.txt")]

    def at_rest(runner: Runner, ran: Ran) -> None:
        work, before = runner.case / "work", runner.top / "before/work"
        journals = list(work.glob(".sealstead-undo-*"))
        for name in FILES:
            was, now = (before / name).read_bytes(), (work / name).read_bytes()
            if journals and (ran.state == "killed" or "file-half-written" in ran.stdout):
                # Half-written it may be, but what the signature is of was not touched.
                layout = parse_layout(was, len(was))
                assert (
                    now[layout.security_offset + 8 : layout.content_end]
                    == content(was)[layout.checksum_offset :]
                ), name
            else:
                assert now == was or is_signed(PE, work / name), name
        assert (work / "script.ps1").read_bytes() == SCRIPT or is_signed(POWERSHELL, work / "script.ps1")
        assert not (work / "data.bin.p7s").exists() or is_signed(CMS, work / "data.bin")
        assert (work / "data.bin").read_bytes() == OTHERS["data.bin"]

    def after(runner: Runner, between: str, ran: Ran) -> None:
        assert ran.code == 0, ran.stderr
        done(runner, ran)
        work = runner.case / "work"
        for name, data in FILES.items():
            expected = BUILT_ANEW if between == "built anew" else data
            now = (work / name).read_bytes()
            padded = content(expected) + bytes(-len(expected) % 8)
            assert content(now) == (
                padded if name != "again.exe" or between == "built anew" else content(data)
            ), name

    def done(runner: Runner, ran: Ran) -> None:
        work = runner.case / "work"
        assert ran.code == 0, ran.stderr
        assert all(is_signed(PE, work / name) for name in FILES)
        assert is_signed(POWERSHELL, work / "script.ps1")
        assert is_signed(CMS, work / "data.bin")
        assert sorted(path.name for path in work.iterdir()) == sorted([*FILES, *OTHERS, "data.bin.p7s"])

    def built_anew(runner: Runner) -> None:
        for name in FILES:
            (runner.case / "work" / name).write_bytes(BUILT_ANEW)

    return Scenario(
        name="sign",
        arguments=arguments,
        prepare=prepare,
        at_rest=at_rest,
        after=after,
        done=done,
        between={"built anew": built_anew},
        cwd="work",
    )


@pytest.mark.timeout(1200)
def test_survives(
    runner: Runner,
    server: StandIn,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    everything = pytestconfig.getoption("--crash") == "all"
    report = sweep(
        runner,
        scenario(server),
        every=1 if everything else PART,
        offset=0 if everything else zlib.crc32(b"sign") % PART,
    )
    record_property(SUMMARY, str(report))
    assert report.problems == []
    assert report.faults.total() >= report.calls / PART
