"""Signatures in programs and scripts, in both directions, with osslsigncode; and beside files, with openssl; and lief."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.executables import launcher, launchers, tiny_pe
from tests.programs import require_program
from tests.signed_files import embedded, pe_digest, signed_pe
from tests.signers import Holder, authority, detached, issue, leaf, root, signature
from tests.stamps import stamp

from sealstead.codesign.roots import Roots
from sealstead.codesign.verify import Trust, check_file
from sealstead.codesign.verify_report import FileReport
from sealstead.formats.authenticode import add_nested, add_timestamp
from sealstead.formats.cms import parse_signed_data
from sealstead.formats.pe import MAX_HEADER_BYTES, parse_layout, pe_checksum, signature_in
from sealstead.formats.powershell import SUFFIXES, hash_script, parse_script, with_signature

pytestmark = pytest.mark.interop

TRUST = Trust(roots=Roots((root().certificate,)))


class Peer:
    """osslsigncode, with the keys of `tests.signers` in files."""

    def __init__(self, place: Path) -> None:
        self.program = require_program("osslsigncode")
        self.place = place
        (place / "root.pem").write_bytes(root().pem)
        for name, holder in (("rsa", leaf("rsa")), ("ec", leaf("ec")), ("tsa", authority())):
            (place / f"{name}.pem").write_bytes(holder.pem)
            (place / f"{name}.key").write_bytes(holder.key_pem)

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
        )

    def sign(self, data: bytes, name: str, *more: object, key: str = "rsa") -> bytes:
        given, made = self.place / f"in-{name}", self.place / f"out-{name}"
        given.write_bytes(data)
        made.unlink(missing_ok=True)
        done = self.run(
            *("sign", "-certs", self.place / f"{key}.pem", "-key", self.place / f"{key}.key"),
            *(*more, "-in", given, "-out", made),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return made.read_bytes()

    def verify(self, data: bytes, name: str) -> subprocess.CompletedProcess[str]:
        path = self.place / f"check-{name}"
        path.write_bytes(data)
        roots = self.place / "root.pem"
        return self.run("verify", "-CAfile", roots, "-TSA-CAfile", roots, "-in", path)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    return Peer(tmp_path_factory.mktemp("osslsigncode"))


def ours(tmp_path: Path, data: bytes, name: str = "app.exe") -> FileReport:
    path = tmp_path / name
    path.write_bytes(data)
    return check_file(path, trust=TRUST, now=datetime.now(UTC))


@pytest.mark.parametrize("name", ["t32.exe", "t64.exe", "w64-arm.exe"])
@pytest.mark.parametrize(("kind", "alg"), [("rsa", "SHA256"), ("ec", "SHA384"), ("rsa", "SHA512")])
def test_osslsigncode_accepts_our_programs(peer: Peer, name: str, kind: str, alg: str) -> None:
    data = launcher(name)
    made = signature(
        pe_digest(data, alg),
        alg=alg,
        holder=leaf("rsa" if kind == "rsa" else "ec"),
        description="Ä tool",
        url="https://x.test",
    )
    done = peer.verify(embedded(data, made), name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Text description: Ä tool" in done.stdout
    assert "URL description: https://x.test" in done.stdout


def test_osslsigncode_reckons_the_same_checksum(peer: Peer) -> None:
    data = bytearray(signed_pe(launcher("t64.exe")))
    layout = parse_layout(bytes(data[:MAX_HEADER_BYTES]), len(data))
    stale = peer.verify(bytes(data), "stale.exe")
    value = pe_checksum(io.BytesIO(data), layout, len(data))
    data[layout.checksum_offset : layout.checksum_offset + 4] = value.to_bytes(4, "little")
    fresh = peer.verify(bytes(data), "fresh.exe")
    assert (stale.returncode, fresh.returncode) == (0, 0)
    assert "invalid PE checksum" in stale.stdout
    assert "invalid PE checksum" not in fresh.stdout


@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
def test_we_accept_programs_of_osslsigncode(peer: Peer, tmp_path: Path, key: str, hash_name: str) -> None:
    made = peer.sign(launcher(), "a.exe", "-h", hash_name, "-n", "Tool", "-i", "https://x.test", key=key)
    report = ours(tmp_path, made)
    assert report.ok, report
    (found,) = report.signatures
    assert (found.alg, found.description, found.url) == (hash_name.upper(), "Tool", "https://x.test")


def test_signatures_are_nested_both_ways(peer: Peer, tmp_path: Path) -> None:
    data = launcher()
    theirs = peer.sign(data, "n.exe", "-h", "sha256")
    layout = parse_layout(theirs[:MAX_HEADER_BYTES], len(theirs))
    first = signature_in(theirs[layout.table_offset :])
    assert first is not None
    onto_theirs = embedded(theirs, add_nested(first, signature(pe_digest(data))))
    onto_ours = peer.sign(signed_pe(data), "m.exe", "-h", "sha384", "-nest", key="ec")
    for made in (onto_theirs, onto_ours):
        assert peer.verify(made, "nested.exe").returncode == 0
        report = ours(tmp_path, made)
        assert (report.ok, len(report.signatures)) == (True, 2)


def test_time_stamps_both_ways(peer: Peer, tmp_path: Path) -> None:
    place = peer.place
    theirs = peer.sign(
        *(launcher(), "t.exe", "-h", "sha256"),
        *("-TSA-certs", place / "tsa.pem", "-TSA-key", place / "tsa.key"),
    )
    report = ours(tmp_path, theirs)
    assert report.ok, report
    assert report.signatures[0].authority == "CN=Test Time"
    data = launcher()
    made = signature(pe_digest(data), holder=leaf("rsa"))
    imprint = hashlib.sha256(parse_signed_data(made).signer.signature).digest()
    done = peer.verify(embedded(data, add_timestamp(made, stamp(imprint))), "stamped.exe")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Timestamp Server Signature verification: ok" in done.stdout


BODY = "# a comment that makes the file long enough for osslsigncode\nWrite-Host 'ä€😀'\n"
SCRIPTS = {
    "ascii": BODY.encode("ascii", "ignore"),
    "utf-8": BODY.encode(),
    "utf-8-sig": b"\xef\xbb\xbf" + BODY.replace("\n", "\r\n").encode(),
    "utf-16-le": b"\xff\xfe" + BODY.replace("\n", "\r\n").encode("utf-16-le"),
    "no-end": BODY.rstrip().encode(),
    "crlf": BODY.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("encoding", SCRIPTS)
@pytest.mark.parametrize("suffix", [".ps1", ".ps1xml"])
def test_scripts_both_ways(peer: Peer, tmp_path: Path, encoding: str, suffix: str) -> None:
    data = SCRIPTS[encoding]
    theirs = peer.sign(data, f"a{suffix}", "-h", "sha256")
    assert ours(tmp_path, theirs, f"a{suffix}").ok
    script = parse_script(data, suffix)
    made = signature(hash_script(script, "SHA384"), kind="powershell", alg="SHA384")
    done = peer.verify(with_signature(script, made), f"b{suffix}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_suffixes_are_those_of_osslsigncode(peer: Peer, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        assert ours(tmp_path, peer.sign(SCRIPTS["crlf"], f"s{suffix}", "-h", "sha256"), f"s{suffix}").ok


def test_lief_accepts_our_programs() -> None:
    import lief

    for name in ("t32.exe", "t64-arm.exe"):
        data = launcher(name)
        parsed = lief.PE.parse(list(signed_pe(data, holder=leaf("rsa"))))
        assert parsed is not None
        assert parsed.verify_signature() == lief.PE.Signature.VERIFICATION_FLAGS.OK
        assert bytes(parsed.authentihash(lief.PE.ALGORITHMS.SHA_256)) == pe_digest(data)


def test_all_launchers_keep_their_digest() -> None:
    import lief

    for path in launchers().values():
        parsed = lief.PE.parse(str(path))
        assert parsed is not None
        assert bytes(parsed.authentihash(lief.PE.ALGORITHMS.SHA_512)) == pe_digest(
            path.read_bytes(), "SHA512"
        )


def test_we_accept_nothing_that_osslsigncode_refuses(peer: Peer, tmp_path: Path) -> None:
    """Changed anywhere, a program is refused; where we let a change be, osslsigncode lets it be too."""
    data = bytearray(signed_pe(tiny_pe(checksum=1, size=0x700), holder=leaf("rsa")))
    chance = random.Random(20261121)  # noqa: S311 - chance that can be repeated
    table = parse_layout(bytes(data), len(data)).table_offset
    let_be = 0
    places = [(at, chance.randrange(8)) for at in (*chance.sample(range(len(data)), 150), *range(0xD8, 0xDC))]
    # The entry's header and the list of hash algorithms, which no digest covers: each bit.
    places += [(at, bit) for at in range(table, table + 0x33) for bit in range(8)]
    for at, bit in places:
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        if ours(tmp_path, bytes(changed)).ok:
            let_be += 1
            assert peer.verify(bytes(changed), "changed.exe").returncode == 0, hex(at)
    assert 4 <= let_be < len(places) / 10


def openssl(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_program("openssl"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("alg", ["SHA256", "SHA384", "SHA512"])
def test_openssl_accepts_our_detached_signatures(peer: Peer, tmp_path: Path, kind: str, alg: str) -> None:
    content, beside = tmp_path / "a.zip", tmp_path / "a.zip.p7s"
    content.write_bytes(b"content\n")
    holder = leaf("rsa" if kind == "rsa" else "ec")
    beside.write_bytes(detached(hashlib.new(alg, b"content\n").digest(), alg=alg, holder=holder))
    asked = ("cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-out", tmp_path / "x")
    where = ("-in", beside, "-content", content, "-CAfile", peer.place / "root.pem")
    done = openssl(*asked, *where)
    assert done.returncode == 0, done.stderr
    content.write_bytes(b"other\n")
    assert openssl(*asked, *where).returncode != 0


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("rsa", ()),
        ("ec", ()),
        ("rsa", ("-keyid",)),
        ("ec", ("-outform", "PEM")),
        ("rsa", ("-keyopt", "rsa_padding_mode:pss")),
        ("ec", ("-stream",)),
        ("rsa", ("-stream", "-nodetach")),
        ("ec", ("-nodetach",)),
    ],
)
def test_we_accept_detached_signatures_of_openssl(
    peer: Peer, tmp_path: Path, kind: str, more: tuple[str, ...]
) -> None:
    content, beside = tmp_path / "a.zip", tmp_path / "a.zip.p7s"
    content.write_bytes(b"content\n")
    outform = () if "-outform" in more else ("-outform", "DER")
    done = openssl(
        *(
            "cms",
            "-sign",
            "-binary",
            "-md",
            "sha384",
            "-nosmimecap",
            "-in",
            content,
            "-out",
            beside,
            *outform,
        ),
        *("-signer", peer.place / f"{kind}.pem", "-inkey", peer.place / f"{kind}.key", *more),
    )
    assert done.returncode == 0, done.stderr
    report = check_file(content, trust=TRUST, now=datetime.now(UTC))
    assert report.ok, report
    asked = (
        "cms",
        "-verify",
        "-binary",
        "-purpose",
        "any",
        "-CAfile",
        peer.place / "root.pem",
        "-out",
        tmp_path / "x",
    )
    form = "PEM" if "PEM" in more else "DER"
    assert openssl(*asked, "-inform", form, "-in", beside, "-content", content).returncode == 0
    content.write_bytes(b"other\n")
    assert not check_file(content, trust=TRUST, now=datetime.now(UTC)).ok
    assert openssl(*asked, "-inform", form, "-in", beside, "-content", content).returncode != 0


def test_the_chain_is_judged_as_openssl_judges_it(peer: Peer, tmp_path: Path) -> None:
    between = issue(root(), "ec", "Between", is_authority=True)
    below = issue(between, "ec", "Below")
    alone = issue(issue(None, "ec", "Test Root"), "ec", "Twin's")

    def refuses(holder: Holder, above: tuple[Holder, ...]) -> tuple[bool, bool]:
        data = tiny_pe(size=0x800)
        made = embedded(data, signature(pe_digest(data), holder=holder, above=above))
        return not ours(tmp_path, made).ok, peer.verify(made, "chain.exe").returncode != 0

    assert refuses(below, (between,)) == (False, False)
    assert refuses(below, ()) == (True, True)
    assert refuses(alone, ()) == (True, True)


def as_a_second_tool_hashes(text: bytes, encoding: str, alg: str) -> bytes:
    """The documented rule without any code of ours: the text with its mark, as UTF-16LE, hashed."""
    made = subprocess.run(
        [require_program("iconv"), "-f", encoding, "-t", "UTF-16LE"],
        input=text,
        capture_output=True,
        check=True,
        timeout=300,
    )
    digest = subprocess.run(
        [require_program("openssl"), "dgst", f"-{alg.lower()}", "-binary"],
        input=made.stdout,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return digest.stdout


DEFINED = bytes(set(range(0x20, 0x100)) - {0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D})
"""Of code page 1252; the others Windows reads as control characters, and iconv not at all."""


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("UTF-16BE", "\ufeffWrite-Host 'äöü € 字 𝄞'\r\n".encode("utf-16-be")),
        ("UTF-16BE", "\ufefffirst\nlast without an end \u2028".encode("utf-16-be")),
        ("CP1252", b"Write-Host '" + DEFINED + b"'\r\n"),
        ("CP1252", b"\xe4\n"),
        ("UTF-16LE", "\ufeffWrite-Host 'ä€'\r\n".encode("utf-16-le")),
        ("UTF-8", "\ufeffWrite-Host 'ä€'\r\n".encode()),
        ("UTF-8", "Write-Host 'ä€ 𝄞'".encode()),
    ],
)
def test_scripts_in_every_encoding_are_hashed_as_iconv_and_openssl_hash_them(
    tmp_path: Path, encoding: str, text: bytes
) -> None:
    expected = as_a_second_tool_hashes(text, encoding, "SHA384")
    script = parse_script(text, ".ps1")
    assert hash_script(script, "SHA384") == expected
    path = tmp_path / "a.ps1"
    path.write_bytes(with_signature(script, signature(expected, kind="powershell", alg="SHA384")))
    report = check_file(path, trust=TRUST, now=datetime.now(UTC))
    assert report.ok, report
    # Not by our parser: what stands before the block is the text, with the line end that belongs to the block.
    wide = {"UTF-16BE": "utf-16-be", "UTF-16LE": "utf-16-le"}.get(encoding, "ascii")
    before, _, _ = path.read_bytes().partition("\r\n# SIG # Begin signature block".encode(wide))
    assert as_a_second_tool_hashes(before, encoding, "SHA384") == expected
