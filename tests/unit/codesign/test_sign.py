"""Signing files with what a server answers."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.executables import launcher, tiny_pe
from tests.signers import detached, issue, leaf, root, signature
from tests.signing_stand_in import MINISIGN_KEY, StandIn, serving
from tests.tsa import Tsa
from tests.tsa import serving as serving_tsa

from sealstead.clock import SystemClock
from sealstead.codesign.choosing import find_certificates
from sealstead.codesign.outcomes import Outcome, Selector, Wishes
from sealstead.codesign.sign import sign_targets
from sealstead.codesign.signatures import CMS_TIMESTAMP, load_certificates
from sealstead.codesign.stamper import Stamper
from sealstead.codesign.targets import find_targets
from sealstead.formats.authenticode import nested_signatures, read_indirect, timestamp_tokens
from sealstead.formats.cms import parse_signed_data, verify_signer
from sealstead.formats.minisign import parse_signature, verify_digest
from sealstead.formats.pe import hash_pe, parse_layout, signature_in
from sealstead.formats.powershell import hash_script, parse_script
from sealstead.net.tsa import Authorities


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: StandIn) -> None:
    server.asked.clear()
    server.before_answer = lambda: None
    server.spoil = lambda status, value: (status, value)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    with serving_tsa(tmp_path_factory.mktemp("tsa")) as running:
        yield running


def sign(server: StandIn, files: Sequence[Path], label: str = "production", **wishes: Any) -> list[Outcome]:
    api, selector = server.api(), Selector(label=label)
    certificates = find_certificates(api, selector)
    targets = find_targets([str(path) for path in files])
    done = sign_targets(api, certificates, targets, Wishes(selector=selector, **wishes))
    return [outcome for batch in done for outcome in batch]


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.error.code if outcome.error else outcome.status for outcome in outcomes]


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def signature_of(path: Path) -> bytes:
    data = path.read_bytes()
    layout = parse_layout(data, len(data))
    found = signature_in(data[layout.table_offset : layout.table_offset + layout.table_size])
    assert found is not None
    with path.open("rb", buffering=0) as file:
        signed = parse_signed_data(found)
        indirect = read_indirect(signed)
        assert indirect.digest == hash_pe(file, [indirect.alg.name], layout)[indirect.alg.name]
    verify_signer(signed)
    return found


def stamper(url: str, algorithm: str = "SHA256") -> Stamper:
    return Stamper(
        Authorities([url], retries=0, pause=lambda _: None), algorithm=algorithm, clock=SystemClock()
    )


SCRIPTS = {
    "plain.ps1": b"Write-Host 'hello'\r\n",
    "unix.psm1": "function ä {}\n".encode(),
    "bom.psd1": "\ufeff@{ Author = 'ö' }\r\n".encode(),
    "wide.ps1": b"\xff\xfe" + "Write-Host 'weit'\r\n".encode("utf-16-le"),
    "ansi.ps1": "Write-Host 'schön'\r\n".encode("cp1252"),
    "view.ps1xml": b"<Configuration></Configuration>\r\n",
}


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_programs_and_scripts_carry_their_signatures(server: StandIn, tmp_path: Path, algorithm: str) -> None:
    program = put(tmp_path / "app.exe", launcher())
    renamed = put(tmp_path / "app.bin", tiny_pe(plus=False))
    scripts = [put(tmp_path / name, data) for name, data in SCRIPTS.items()]
    scripts[0].chmod(0o640)
    outcomes = sign(server, [program, renamed, *scripts], algorithm=algorithm, description="Ada's tool")
    assert states(outcomes) == ["signed"] * 8
    (asked,) = server.asked
    assert {name: asked[name] for name in ("label", "profile", "algorithm", "description")} == {
        "label": "production",
        "profile": "authenticode",
        "algorithm": algorithm,
        "description": "Ada's tool",
    }
    assert asked["items"][0] | {"digest": ""} == {
        "kind": "pe",
        "digest": "",
        "file_name": "app.exe",
        "file_size": len(launcher()),
    }
    assert parse_signed_data(signature_of(program)).certificates == (leaf().der, root().der)
    signature_of(renamed)
    for script in scripts:
        parsed = parse_script(script.read_bytes(), script.suffix)
        assert parsed.text == SCRIPTS[script.name]
        assert parsed.signature is not None
        signed = parse_signed_data(parsed.signature)
        assert read_indirect(signed).digest == hash_script(parsed, algorithm)
        verify_signer(signed)
    assert stat.S_IMODE(scripts[0].stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == sorted([program, renamed, *scripts])


def test_any_file_gets_a_signature_beside_it(server: StandIn, tmp_path: Path) -> None:
    files = [put(tmp_path / "a.whl", b"wheel"), put(tmp_path / "b.exe", launcher())]
    for label, suffix in (("detached", ".p7s"), ("release", ".minisig")):
        outcomes = sign(server, files, label, verify_after=True)
        assert states(outcomes) == ["signed", "signed"]
        assert [str(outcome.signature_path) for outcome in outcomes] == [f"{path}{suffix}" for path in files]
    cms = parse_signed_data(Path(f"{files[0]}.p7s").read_bytes())
    verify_signer(cms, content_digest=hashlib.sha256(b"wheel").digest())
    minisig = parse_signature(Path(f"{files[0]}.minisig").read_bytes())
    verify_digest(MINISIGN_KEY.public, hashlib.blake2b(b"wheel").digest(), minisig)
    assert files[1].read_bytes() == launcher()


def test_a_strange_name_is_no_reason_not_to_sign(server: StandIn, tmp_path: Path) -> None:
    names = ["a\nb.exe", "no\xa0break.exe", "\x1b[31m.exe", os.fsdecode(b"\xff.exe")]
    assert states(sign(server, [put(tmp_path / name, launcher()) for name in names])) == ["signed"] * 4
    told = [item["file_name"] for item in server.asked[-1]["items"]]
    assert told == ["a\ufffdb.exe", "no\ufffdbreak.exe", "\ufffd[31m.exe", "\ufffd.exe"]


def test_other_kinds_are_answered_as_was_asked(server: StandIn, tmp_path: Path) -> None:
    files = [put(tmp_path / "a.exe", launcher()), put(tmp_path / "setup.msi", b"\xd0\xcf\x11\xe0")]
    assert states(sign(server, files)) == ["not-reached", "unsupported-file-type"]
    assert server.asked == []
    assert states(sign(server, files, unsupported="detached")) == ["not-reached", "unsupported-file-type"]
    assert states(sign(server, files, unsupported="skip")) == ["signed", "skipped"]
    assert states(sign(server, files, "mixed", unsupported="detached")) == ["signed", "signed"]
    assert (tmp_path / "setup.msi.p7s").exists()


def test_a_signature_is_replaced_or_added_to(server: StandIn, tmp_path: Path) -> None:
    program, script = put(tmp_path / "a.exe", launcher()), put(tmp_path / "a.ps1", SCRIPTS["plain.ps1"])
    sign(server, [program, script])
    first = signature_of(program)
    size = program.stat().st_size
    sign(server, [program, script])
    assert program.stat().st_size - size in range(-8, 9)
    assert nested_signatures(parse_signed_data(signature_of(program))) == ()
    assert states(sign(server, [program, script], append=True, algorithm="SHA384")) == ["signed", "signed"]
    (nested,) = nested_signatures(parse_signed_data(signature_of(program)))
    assert read_indirect(parse_signed_data(nested)).alg.name == "SHA384"
    assert signature_of(program) != first
    signed = parse_script(script.read_bytes(), ".ps1").signature
    assert signed is not None
    assert len(nested_signatures(parse_signed_data(signed))) == 1


def test_what_is_signed_already_is_left_alone_unless_it_changed(server: StandIn, tmp_path: Path) -> None:
    files = [put(tmp_path / "a.exe", launcher()), put(tmp_path / "a.ps1", SCRIPTS["plain.ps1"])]
    sign(server, files, algorithm="SHA384")
    assert states(sign(server, files, skip_signed=True)) == ["skipped", "skipped"]
    data = files[1].read_bytes()
    files[1].write_bytes(data.replace(b"hello", b"hallo"))
    assert states(sign(server, files, skip_signed=True)) == ["skipped", "signed"]
    for label in ("detached", "release"):
        other = put(tmp_path / "a.whl", b"wheel")
        sign(server, [other], label)
        assert states(sign(server, [other], label, skip_signed=True)) == ["skipped"]
        other.write_bytes(b"a wheel built anew")
        assert states(sign(server, [other], label, skip_signed=True)) == ["signed"]


def test_300_files_are_two_requests(server: StandIn, tmp_path: Path) -> None:
    files = [put(tmp_path / f"{number:03}.exe", tiny_pe(machine=number + 1)) for number in range(300)]
    seen: list[float] = []
    assert set(states(sign(server, files, progress=seen.append))) == {"signed"}
    assert [len(body["items"]) for body in server.asked] == [256, 44]
    assert sum(seen) == 300
    assert len({signature_of(path) for path in files}) == 300


def test_a_dry_run_writes_nothing_and_signs_nothing(server: StandIn, tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", launcher())
    assert states(sign(server, [path], dry_run=True)) == ["would-sign"]
    assert (server.asked, path.read_bytes()) == ([], launcher())


def test_the_first_failure_ends_it_unless_one_goes_on(server: StandIn, tmp_path: Path) -> None:
    files = [
        put(tmp_path / "a.exe", launcher()),
        put(tmp_path / "b.exe", b"MZ, but no program"),
        put(tmp_path / "c.exe", launcher() + b"tail"),
    ]
    assert states(sign(server, files))[:2] == ["not-reached", "not-pe"]
    assert (server.asked, files[0].read_bytes()) == ([], launcher())
    assert states(sign(server, files, go_on=True)) == ["signed", "not-pe", "signed"]


@pytest.mark.parametrize("name", ["a.exe", "a.ps1", "a.whl"])
def test_a_file_that_changes_while_it_is_signed_is_refused(
    server: StandIn, tmp_path: Path, name: str
) -> None:
    path = put(tmp_path / name, {"a.exe": launcher(), "a.ps1": SCRIPTS["plain.ps1"]}.get(name, b"wheel"))
    other = put(tmp_path / "other.exe", launcher())
    changed = path.read_bytes() + b"\n"
    server.before_answer = lambda: path.write_bytes(changed) and None
    label = "detached" if name == "a.whl" else "production"
    outcomes = sign(server, [path] if label == "detached" else [path, other], label)
    assert states(outcomes)[0] == "target-changed"
    assert path.read_bytes() == changed
    assert not (tmp_path / f"{name}.p7s").exists()


def resigned(status: int, value: dict[str, Any], made: bytes) -> tuple[int, dict[str, Any]]:
    if "items" in value:
        value["items"] = [{"signature": base64.b64encode(made).decode()} for _ in value["items"]]
    return status, value


@pytest.mark.parametrize("label", ["production", "detached", "release"])
@pytest.mark.parametrize("wrong", ["digest", "certificate", "kind", "value", "junk"])
def test_an_answer_that_is_no_signature_of_the_file_is_refused(
    server: StandIn, tmp_path: Path, label: str, wrong: str
) -> None:
    path = put(tmp_path / "a.exe", launcher())
    with path.open("rb", buffering=0) as file:
        digest = hash_pe(file, ["SHA256"], parse_layout(launcher(), len(launcher())))["SHA256"]
    if label != "production":
        digest = hashlib.sha256(launcher()).digest()
    if wrong == "digest":
        digest = bytes(32)
    holder = issue(root(), "ec", "Somebody else") if wrong == "certificate" else leaf()
    make = detached if (label == "production") == (wrong == "kind") else signature
    made = b"junk" if wrong == "junk" else make(digest, holder=holder, above=(root(),))
    if wrong == "value":
        made = made[:-4] + bytes([made[-4] ^ 1]) + made[-3:]
    server.spoil = lambda status, value: resigned(status, value, made)
    outcomes = sign(server, [path], label, verify_after=True)
    assert states(outcomes) == ["wrong-signature"]
    assert path.read_bytes() == launcher()
    assert [one.name for one in tmp_path.iterdir()] == ["a.exe"]


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384"])
def test_time_stamps_are_in_the_signature(server: StandIn, tsa: Tsa, tmp_path: Path, algorithm: str) -> None:
    program, script = put(tmp_path / "a.exe", launcher()), put(tmp_path / "a.ps1", SCRIPTS["wide.ps1"])
    outcomes = sign(server, [program, script], stamper=stamper(tsa.url, algorithm))
    assert states(outcomes) == ["signed", "signed"]
    assert all(outcome.stamped_at for outcome in outcomes)
    assert len(timestamp_tokens(parse_signed_data(signature_of(program)))) == 1
    other = put(tmp_path / "a.whl", b"wheel")
    sign(server, [other], "detached", stamper=stamper(tsa.url))
    signed = parse_signed_data((tmp_path / "a.whl.p7s").read_bytes())
    assert len(signed.signer.unsigned_values(CMS_TIMESTAMP)) == 1
    assert states(sign(server, [other], "release", stamper=stamper(tsa.url))) == ["not-for-this-kind"]


def test_without_its_time_stamp_a_file_stays_as_it_was(server: StandIn, tsa: Tsa, tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", launcher())
    assert states(sign(server, [path], stamper=stamper(f"{tsa.url}/wrong-nonce"))) == ["no-timestamp"]
    assert path.read_bytes() == launcher()


def test_more_certificates_are_carried(server: StandIn, tmp_path: Path) -> None:
    path = put(tmp_path / "a.exe", launcher())
    cross = issue(None, "ec", "Cross root")
    pem = put(tmp_path / "extra.pem", b"two of them\n" + cross.pem + root().pem)
    assert load_certificates(put(tmp_path / "extra.cer", cross.der)) == (cross.der,)
    sign(server, [path], extra_certificates=load_certificates(pem))
    assert parse_signed_data(signature_of(path)).certificates == (leaf().der, root().der, cross.der)
    for junk in (b"", b"junk", pem.read_bytes()[:200]):
        with pytest.raises(Exception, match="holds no certificates"):
            load_certificates(put(tmp_path / "junk.pem", junk))


def test_a_checksum_is_kept_right_and_none_is_added(server: StandIn, tmp_path: Path) -> None:
    from sealstead.formats.pe import pe_checksum

    files = [
        put(tmp_path / f"{checksum}-{size}.sys", tiny_pe(checksum=checksum, size=size))
        for checksum in (0, 1)
        for size in (0x600, 0x603)
    ]
    for _ in range(2):  # the second signature replaces the first
        sign(server, files)
        for path in files:
            data = path.read_bytes()
            layout = parse_layout(data, len(data))
            with path.open("rb", buffering=0) as file:
                expected = pe_checksum(file, layout, len(data)) if path.name[0] == "1" else 0
            assert layout.checksum == expected


def test_something_else_beside_a_file_is_not_replaced(server: StandIn, tmp_path: Path) -> None:
    path = put(tmp_path / "a.whl", b"wheel")
    mine = put(tmp_path / "a.whl.p7s", b"my notes")
    assert states(sign(server, [path], "detached")) == ["not-a-signature"]
    assert (mine.read_bytes(), server.asked) == (b"my notes", [])


@pytest.mark.parametrize("label", ["detached", "release"])
def test_signatures_of_an_earlier_run_are_not_signed_themselves(
    server: StandIn, tmp_path: Path, label: str
) -> None:
    put(tmp_path / "a.whl", b"wheel")
    assert states(sign(server, [tmp_path / "*"], label)) == ["signed"]
    alone = put(tmp_path / "lost.p7s", b"of a file that is not here")
    again = sign(server, [tmp_path / "*"], label)
    assert sorted(states(again)) == ["signed", "signed", "skipped"]
    assert [one.note for one in again if one.status == "skipped"] == ["is the signature of a.whl"]
    beside = {"detached": ".p7s", "release": ".minisig"}[label]
    names = {"a.whl", f"a.whl{beside}", alone.name, f"{alone.name}{beside}"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_an_unfinished_file_of_a_killed_run_is_removed(server: StandIn, tmp_path: Path) -> None:
    path = put(tmp_path / "a.ps1", SCRIPTS["plain.ps1"])
    put(tmp_path / ".a.ps1.sealstead.tmp", b"half")
    others = put(tmp_path / ".b.ps1.sealstead.tmp", b"somebody else's")
    sign(server, [path])
    assert sorted(tmp_path.iterdir()) == sorted([path, others])
