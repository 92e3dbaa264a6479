"""Checking the signatures of files, step by step."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.executables import tiny_pe
from tests.keys import key
from tests.signed_files import embedded, pe_digest, signed_beside, signed_pe, signed_script
from tests.signers import NOW, chain, detached, issue, leaf, root, signature
from tests.stamps import stamp

from sealstead.codesign.roots import Roots
from sealstead.codesign.signed_file import find_signatures
from sealstead.codesign.undo import TargetChangedError
from sealstead.codesign.verify import MAX_NESTED, MAX_STAMPS, Trust, check_file
from sealstead.codesign.verify_report import FileReport, as_document
from sealstead.formats.authenticode import (
    RFC3161_TIMESTAMP,
    SPC_INDIRECT_DATA,
    add_nested,
    add_timestamp,
    indirect_data,
)
from sealstead.formats.cms import (
    add_unsigned_attribute,
    build_signed_data,
    parse_signed_data,
    signed_attributes,
)
from sealstead.formats.der import children, null, octets, read_tlv, seq, splice
from sealstead.formats.digests import ALGORITHMS
from sealstead.formats.minisign import digest_of, serialize_signature, sign_digest
from sealstead.formats.pe import parse_layout
from sealstead.formats.tsp import add_cms_timestamp

TRUST = Trust(roots=Roots((root().certificate,)))


def check(path: Path, trust: Trust = TRUST) -> FileReport:
    return check_file(path, trust=trust, now=NOW)


def of(tmp_path: Path, data: bytes, name: str = "app.exe", trust: Trust = TRUST) -> FileReport:
    path = tmp_path / name
    path.write_bytes(data)
    return check(path, trust)


def states(report: FileReport) -> list[str]:
    return [" ".join(step.state.value for step in one.steps) for one in report.signatures]


def codes(report: FileReport) -> list[str | None]:
    found = [step.code for one in report.signatures for step in one.steps if step.code]
    return [*found, *([report.problem.code] if report.problem else [])]


def stamped(der: bytes, *, cms: bool = False, imprint: bytes | None = None) -> bytes:
    over = hashlib.sha256(parse_signed_data(der).signer.signature).digest() if imprint is None else imprint
    return (add_cms_timestamp if cms else add_timestamp)(der, stamp(over))


def test_each_kind_of_file(tmp_path: Path) -> None:
    good = "passed passed passed absent"
    assert states(of(tmp_path, signed_pe())) == [good]
    assert states(of(tmp_path, signed_script(), "a.ps1")) == [good]
    beside = signed_beside(tmp_path)
    assert states(check(beside)) == [good]
    assert states(check(beside.with_name("release.zip.p7s"))) == [good]


def test_a_time_stamp_moves_the_moment(tmp_path: Path) -> None:
    data = tiny_pe()
    made = embedded(data, stamped(signature(pe_digest(data))))
    report = of(tmp_path, made)
    assert states(report) == ["passed passed passed passed"]
    assert (report.signatures[0].stamped_at, report.signatures[0].authority) == (NOW, "CN=Test Time")
    much_later = check_file(
        tmp_path / "app.exe", trust=TRUST, now=leaf().certificate.not_valid_after_utc.replace(year=2032)
    )
    assert states(much_later) == ["passed passed passed passed"]
    assert much_later.ok


def test_without_a_time_stamp_a_signature_ends_with_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "app.exe").write_bytes(signed_pe())
    later = leaf().certificate.not_valid_after_utc.replace(year=2032)
    report = check_file(tmp_path / "app.exe", trust=TRUST, now=later)
    assert (report.ok, codes(report)) == (False, ["certificate-not-valid"])


def test_a_time_stamp_that_is_asked_for(tmp_path: Path) -> None:
    asked = Trust(roots=TRUST.roots, require_timestamp=True)
    assert codes(of(tmp_path, signed_pe(), trust=asked)) == ["timestamp-missing"]
    path = signed_beside(tmp_path)
    beside = path.with_name("release.zip.p7s")
    beside.write_bytes(stamped(beside.read_bytes(), cms=True))
    assert states(check(path, asked)) == ["passed passed passed passed"]


def test_a_time_stamp_that_does_not_hold_fails_the_signature(tmp_path: Path) -> None:
    data = tiny_pe()
    made = embedded(data, stamped(signature(pe_digest(data)), imprint=bytes(32)))
    report = of(tmp_path, made)
    assert (report.ok, codes(report)) == (False, ["timestamp-mismatch"])


def test_each_time_stamp_must_hold_and_there_are_few(tmp_path: Path) -> None:
    data = tiny_pe()
    made = signature(pe_digest(data))
    imprint = hashlib.sha256(parse_signed_data(made).signer.signature).digest()
    earlier = stamp(imprint, at=f"{NOW - timedelta(days=3):%Y%m%d%H%M%SZ}")
    both = add_unsigned_attribute(stamped(made), RFC3161_TIMESTAMP, earlier)
    report = of(tmp_path, embedded(data, both))
    assert (report.ok, report.signatures[0].stamped_at) == (True, NOW - timedelta(days=3))
    wrong = add_unsigned_attribute(both, RFC3161_TIMESTAMP, stamp(bytes(32)))
    assert codes(of(tmp_path, embedded(data, wrong))) == ["timestamp-mismatch"]
    for _ in range(MAX_STAMPS):
        both = add_unsigned_attribute(both, RFC3161_TIMESTAMP, earlier)
    assert codes(of(tmp_path, embedded(data, both))) == ["malformed-cms"]


def test_a_time_stamp_of_the_old_kind_counts_for_nothing(tmp_path: Path) -> None:
    data = tiny_pe()
    made = add_unsigned_attribute(signature(pe_digest(data)), "1.2.840.113549.1.9.6", null())
    report = of(tmp_path, embedded(data, made))
    assert states(report) == ["passed passed passed absent"]
    assert "not looked at" in report.signatures[0].steps[3].message
    asked = Trust(roots=TRUST.roots, require_timestamp=True)
    assert codes(of(tmp_path, embedded(data, made), trust=asked)) == ["timestamp-missing"]


def test_time_stamps_lead_to_roots_of_their_own(tmp_path: Path) -> None:
    data = tiny_pe()
    made = embedded(data, stamped(signature(pe_digest(data))))
    other = Trust(roots=TRUST.roots, timestamp_roots=Roots((issue(None, "ec", "Other").certificate,)))
    assert codes(of(tmp_path, made, trust=other)) == ["untrusted-chain"]


def test_no_bit_of_how_it_was_signed_can_be_another(tmp_path: Path) -> None:
    """The header of the table, and what names algorithms: no digest covers it, so each bit is looked at."""
    data = signed_pe(holder=leaf("rsa"))
    table = parse_layout(data, len(data)).table_offset
    body = read_tlv(data, table + 8)
    for number in (1, 0):
        body = list(children(data, body))[number]
    version, listed, *_, signers = children(data, body)
    number, _, digest, _, algorithm, _ = children(data, next(children(data, signers)))
    places = [*range(table, listed.end)]
    for part in (number, digest, algorithm):
        places += range(part.start, part.end)
    unasked = Trust(roots=None)
    let_be = []
    for at in places:
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            if of(tmp_path, bytes(changed), trust=unasked).ok:
                let_be.append((at, data[at] ^ 1 << bit))
    # The other versions that there are: they say nothing that does not stand there anyway.
    assert let_be == [(version.end - 1, 3), (version.end - 1, 5), (number.end - 1, 3)]


def listing(made: bytes, *names: str) -> bytes:
    """Return the signature with these in its list of hash algorithms."""
    path = [read_tlv(made)]
    for number in (1, 0, 1):
        path.append(list(children(made, path[-1]))[number])
    listed = b"".join(ALGORITHMS[name].identifier for name in names)
    return splice(made, path, path[-1].header, path[-1].end, listed)


@pytest.mark.parametrize("names", [(), ("SHA512",), ("SHA256", "SHA512"), ("SHA256", "SHA256")])
def test_a_program_s_signature_lists_its_own_hash_algorithm_alone(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    data = tiny_pe()
    made = signature(pe_digest(data))
    assert listing(made, "SHA256") == made
    report = of(tmp_path, embedded(data, listing(made, *names)))
    assert not report.ok
    assert set(codes(report)) == {"signature-algorithm"}


def test_beside_a_file_the_list_may_be_of_several_signers(tmp_path: Path) -> None:
    path = signed_beside(tmp_path)
    beside = path.with_name("release.zip.p7s")
    made = beside.read_bytes()
    for names, good in ((("SHA256", "SHA512"), True), (("SHA512",), False), ((), False)):
        beside.write_bytes(listing(made, *names))
        assert check(path).ok is good


@pytest.mark.parametrize("offset", [0x2, 0x9A, 0x1A0, 0x5FF])
def test_a_changed_file(tmp_path: Path, offset: int) -> None:
    data = bytearray(signed_pe())
    data[offset] ^= 1
    report = of(tmp_path, bytes(data))
    assert not report.ok
    assert states(report) == ["failed passed passed absent"]
    assert codes(report) == ["signed-digest-differs"]


def test_a_changed_checksum_is_what_signing_leaves_out(tmp_path: Path) -> None:
    data = bytearray(signed_pe())
    data[0x80 + 24 + 64] ^= 1
    assert of(tmp_path, bytes(data)).ok


def test_changed_scripts_and_files_beside(tmp_path: Path) -> None:
    script = signed_script().replace(b"Write-Host 1", b"Write-Host 2")
    assert codes(of(tmp_path, script, "a.ps1")) == ["signed-digest-differs"]
    beside = signed_beside(tmp_path)
    beside.write_bytes(b"other")
    assert codes(check(beside)) == ["signed-digest-differs"]


def test_a_signature_by_nobody_known(tmp_path: Path) -> None:
    stranger = issue(issue(None, "ec", "Stranger"), "ec", "Below")
    made = signed_pe(holder=stranger)
    assert codes(of(tmp_path, made)) == ["untrusted-chain"]
    assert states(of(tmp_path, made)) == ["passed passed failed absent"]
    lenient = of(tmp_path, made, trust=Trust(roots=TRUST.roots, allow_untrusted=True))
    assert (lenient.ok, states(lenient)) == (True, ["passed passed untrusted absent"])
    unasked = of(tmp_path, made, trust=Trust(roots=None))
    assert (unasked.ok, states(unasked)) == (True, ["passed passed skipped absent"])


def test_leniency_ends_at_the_root(tmp_path: Path) -> None:
    for_servers = issue(root(), "ec", "Servers", usage=None)
    for trust in (Trust(roots=TRUST.roots, allow_untrusted=True), Trust(roots=None)):
        assert codes(of(tmp_path, signed_pe(holder=for_servers), trust=trust)) == ["certificate-purpose"]


def test_steps_after_a_broken_signature_are_not_looked_at(tmp_path: Path) -> None:
    data = tiny_pe()
    made = bytearray(signature(pe_digest(data), holder=leaf("rsa")))
    made[-1] ^= 1
    report = of(tmp_path, embedded(data, bytes(made)))
    assert states(report) == ["passed failed skipped skipped"]
    assert codes(report) == ["bad-cms-signature"]


def test_nested_signatures_must_all_hold(tmp_path: Path) -> None:
    data = tiny_pe()
    first, second = signature(pe_digest(data)), signature(pe_digest(data, "SHA512"), alg="SHA512")
    both = of(tmp_path, embedded(data, add_nested(first, second)))
    assert (both.ok, [one.alg for one in both.signatures]) == (True, ["SHA256", "SHA512"])
    elsewhere = of(tmp_path, embedded(data, add_nested(first, signature(bytes(32)))))
    assert (elsewhere.ok, codes(elsewhere)) == (False, ["signed-digest-differs"])
    crowd = first
    for _ in range(MAX_NESTED + 1):
        crowd = add_nested(crowd, second)
    assert codes(of(tmp_path, embedded(data, crowd))) == ["malformed-cms"]


def over(content: bytes) -> bytes:
    """Return a signature of any content, made with SHA-256."""
    body = read_tlv(content).content(content)
    attributes = signed_attributes(SPC_INDIRECT_DATA, hashlib.sha256(body).digest())
    return build_signed_data(
        content=content,
        content_type_oid=SPC_INDIRECT_DATA,
        digest_alg="SHA256",
        signed_attrs=attributes,
        signature=leaf().sign(attributes),
        signer=chain(leaf()),
        key_kind="ec",
    )


def test_a_digest_that_proves_nothing_any_more(tmp_path: Path) -> None:
    """The digest of the file is of SHA-1, in a signature that is made with SHA-256 all the same."""
    data = tiny_pe()
    content = indirect_data("pe", "SHA256", bytes(32))
    old = seq(ALGORITHMS["SHA1"].identifier, octets(pe_digest(data, "SHA1")))
    outer = read_tlv(content)
    message = list(children(content, outer))[1]
    content = splice(content, [outer], message.start, message.end, old)
    report = of(tmp_path, embedded(data, over(content)))
    assert (states(report), codes(report)) == (["failed passed passed absent"], ["weak-digest"])


def test_the_digest_of_the_file_is_of_the_signer_s_algorithm(tmp_path: Path) -> None:
    data = tiny_pe()
    report = of(tmp_path, embedded(data, over(indirect_data("pe", "SHA512", pe_digest(data, "SHA512")))))
    assert (states(report), codes(report)) == (["failed passed passed absent"], ["signature-algorithm"])


def test_a_file_that_changes_between_two_looks(tmp_path: Path) -> None:
    path = tmp_path / "app.exe"
    path.write_bytes(signed_pe())
    (found,) = find_signatures(path)
    path.write_bytes(signed_pe(tiny_pe(size=0x800)))
    with pytest.raises(TargetChangedError):
        found.digests(["SHA256"])


def test_a_signature_of_another_kind_of_file(tmp_path: Path) -> None:
    data = tiny_pe()
    for made in (
        signature(pe_digest(data), kind="powershell"),
        detached(pe_digest(data)),
    ):
        assert codes(of(tmp_path, embedded(data, made))) == ["foreign-signed-content"]


@pytest.mark.parametrize(
    ("name", "make", "code"),
    [
        ("app.exe", tiny_pe, "not-signed"),
        ("a.ps1", lambda: b"Write-Host 1", "not-signed"),
        ("any.zip", lambda: b"x", "not-signed"),
        ("any.p7s", lambda: b"x", "signed-file-missing"),
        ("app.exe", lambda: signed_pe()[:-8], "malformed-pe"),
        ("app.exe", lambda: signed_pe() + b"tail", "data-after-signature"),
        ("a.ps1", lambda: signed_script() + b"evil", "data-after-script-signature"),
        ("a.ps1", lambda: b"", "bad-script-encoding"),
    ],
)
def test_files_that_cannot_be_looked_at(
    tmp_path: Path, name: str, make: Callable[[], bytes], code: str
) -> None:
    report = of(tmp_path, make(), name)
    assert (report.ok, codes(report), report.signatures) == (False, [code], ())


def test_a_detached_signature_in_pem(tmp_path: Path) -> None:
    path = signed_beside(tmp_path)
    beside = path.with_name("release.zip.p7s")
    text = base64.encodebytes(beside.read_bytes())
    beside.write_bytes(b"-----BEGIN CMS-----\n" + text + b"-----END CMS-----\n")
    assert check(path).ok
    beside.write_bytes(b"-----BEGIN CMS-----\nabc\n-----END CMS-----\n")
    assert codes(check(path)) == ["malformed-cms"]
    # Whoever tries each of the line ends as the last of the first line is busy for hours.
    beside.write_bytes(b"-----BEGIN CMS-----" + b"\n" * 1_000_000)
    assert not check(path).ok


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert codes(check(tmp_path / "x.exe")) == ["file-unreadable"]


def minisigned(directory: Path, number: int = 1) -> Path:
    path = directory / "release.tar.gz"
    path.write_bytes(b"content")
    made = sign_digest(key(number), digest_of(b"content"), trusted_comment="words")
    path.with_name("release.tar.gz.minisig").write_bytes(serialize_signature(made))
    return path


def test_minisign_needs_a_key_that_was_named(tmp_path: Path) -> None:
    path = minisigned(tmp_path)
    trusting = Trust(roots=TRUST.roots, minisign_keys=(key(2).public, key(1).public))
    report = check(path, trusting)
    assert (report.ok, states(report)) == (True, ["passed passed passed absent"])
    assert codes(check(path)) == ["minisign-key-not-trusted"]
    assert states(check(path)) == ["skipped skipped failed absent"]
    path.write_bytes(b"changed")
    changed = check(path, trusting)
    assert (changed.ok, codes(changed)) == (False, ["bad-signature"])


def test_all_that_stands_beside_a_file_is_looked_at(tmp_path: Path) -> None:
    path = minisigned(tmp_path)
    beside = path.with_name("release.tar.gz.p7s")
    beside.write_bytes(detached(hashlib.sha256(b"content").digest()))
    report = check(path)
    assert [one.kind for one in report.signatures] == ["cms", "minisign"]
    assert not report.ok
    assert check(beside).ok


def test_the_report_says_who_signed_what(tmp_path: Path) -> None:
    document = as_document(of(tmp_path, signed_pe(holder=leaf("rsa"))))
    (found,) = document["signatures"]
    assert document["ok"] is True
    assert found["signer"]["subject"] == "CN=Test Signer"
    assert found["signer"]["thumbprint_sha256"] == hashlib.sha256(leaf("rsa").der).hexdigest().upper()
    assert [step["number"] for step in found["steps"]] == [1, 2, 3, 4]
