"""Entry points of code signing for fuzzing, and changes of single bits that must not be let be.

What is said in `test_formats` holds here; parsers of signatures may also raise what says that one does not hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from tests.executables import tiny_pe
from tests.fuzz.test_formats import EXAMPLES, SEED, mutate
from tests.signed_files import embedded, indefinite, pe_digest, signed_pe, signed_script
from tests.signers import NOW, authority, detached, leaf, root, signature
from tests.stamps import response, stamp

from sealstead.codesign.roots import Roots
from sealstead.codesign.timestamp_check import check_timestamp
from sealstead.codesign.verify import Trust, check_file
from sealstead.errors import ParseError, VerificationError
from sealstead.formats import der
from sealstead.formats.authenticode import (
    add_nested,
    add_timestamp,
    nested_signatures,
    read_indirect,
    timestamp_tokens,
)
from sealstead.formats.certificate_names import certificate_names, subject_key_id
from sealstead.formats.cms import SignedData, add_unsigned_attribute, parse_signed_data, verify_signer
from sealstead.formats.opus_info import read_opus
from sealstead.formats.pe import MAX_HEADER_BYTES, digest_ranges, parse_layout, parse_table, signature_in
from sealstead.formats.powershell import digest_input, parse_script, with_signature
from sealstead.formats.tsp import parse_response, parse_token

DIGEST = hashlib.sha256(b"x").digest()
ATTRIBUTE = "1.2.3.4"


def fuzz_signed_data(data: bytes) -> None:
    signed = parse_signed_data(data)
    longer = parse_signed_data(add_unsigned_attribute(data, ATTRIBUTE, der.null()))
    assert longer.signer.unsigned_values(ATTRIBUTE)[-1] == der.null()
    assert longer.signer.signed_attrs == signed.signer.signed_attrs
    assert longer.certificates == signed.certificates
    nested_signatures(signed), timestamp_tokens(signed)
    with contextlib.suppress(ParseError):
        read_opus(signed)
    read_indirect(signed)


def fuzz_certificate(data: bytes) -> None:
    certificate_names(data)
    subject_key_id(data)


def fuzz_pe(data: bytes) -> None:
    layout = parse_layout(data[:MAX_HEADER_BYTES], len(data))
    last = 0
    for start, end in digest_ranges(layout):
        assert last <= start <= end <= len(data)
        last = end
    assert layout.content_end + layout.table_size in (len(data), layout.content_end)
    signature_in(data[layout.table_offset :] if layout.signed else b"")


def fuzz_certificate_table(data: bytes) -> None:
    parse_table(data)
    signature_in(data)


def fuzz_script(data: bytes) -> None:
    script = parse_script(data, ".ps1")
    again = parse_script(with_signature(script, b"signature"), ".ps1")
    assert (again.text, again.signature) == (script.text, b"signature")
    assert digest_input(again) == digest_input(script)


def fuzz_timestamp(data: bytes) -> None:
    token = parse_response(data).token
    if token is not None:
        parse_token(token)


def fuzz_verification(data: bytes) -> None:
    with contextlib.suppress(VerificationError):
        verify_signer(parse_signed_data(data))


def fuzz_timestamp_check(data: bytes) -> None:
    with contextlib.suppress(VerificationError):
        check_timestamp(data, b"x", roots=None, now=NOW)


SIGNED = signature(DIGEST, description="Tool", url="https://x.test")
MANY = add_timestamp(add_nested(SIGNED, signature(DIGEST)), stamp(DIGEST))


ENTRY_POINTS: dict[Callable[[bytes], None], list[bytes]] = {
    fuzz_signed_data: [
        SIGNED,
        MANY,
        signature(DIGEST, kind="powershell", holder=leaf("rsa")),
        indefinite(SIGNED, 2),
        indefinite(MANY, 9),
    ],
    fuzz_certificate: [leaf().der, root().der, authority().der],
    fuzz_pe: [
        tiny_pe(size=0x600),
        signed_pe(),
        tiny_pe(plus=False, sections=((0x400, 0x100), (0x500, 0x80))),
    ],
    fuzz_certificate_table: [signed_pe()[0x600:]],
    fuzz_script: [
        b"Write-Host 1\r\n",
        b"\xff\xfe" + "ä\r\n".encode("utf-16-le"),
        b"\xfe\xff" + "ä\r\n".encode("utf-16-be"),
        b"\xef\xbb\xbfx",
        signed_script(),
    ],
    fuzz_timestamp: [response(0, text="ok", token=stamp(DIGEST, nonce=9, accuracy=(1, 2, 3)))],
    fuzz_verification: [SIGNED, indefinite(SIGNED, 4)],
    fuzz_timestamp_check: [stamp(DIGEST)],
}


@pytest.mark.parametrize("entry_point", ENTRY_POINTS, ids=lambda entry_point: entry_point.__name__)
def test_slice(entry_point: Callable[[bytes], None]) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
    seeds = ENTRY_POINTS[entry_point]
    for seed in seeds:
        entry_point(seed)
    for _ in range(EXAMPLES // 3):
        data = mutate(chance.choice(seeds), chance)
        with contextlib.suppress(ParseError):
            entry_point(data)


def proved(signed: SignedData) -> tuple[object, ...]:
    """What a signature that holds has proved; what else the certificate says is for its chain to prove."""
    signer = signed.signer
    certificate = signed.certificate_of(signer)
    assert certificate is not None
    key = load_der_x509_certificate(certificate).public_key()
    return (
        signed.content_body,  # its tag is not signed (RFC 5652, section 5.4): who reads it says which it must have
        signed.content_type,
        signer.signed_attrs,
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        signer.digest,
    )


@pytest.mark.parametrize(
    ("made", "content_digest"),
    [(SIGNED, None), (detached(DIGEST, holder=leaf("rsa")), DIGEST)],
    ids=["embedded", "detached"],
)
def test_no_changed_bit_is_believed(made: bytes, content_digest: bytes | None) -> None:
    """Whatever is changed in a signature that still holds, it is none of what it proves."""
    before = proved(parse_signed_data(made))
    chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
    still = 0
    for at in range(len(made)):
        changed = bytearray(made)
        changed[at] ^= 1 << chance.randrange(8)
        try:
            signed = parse_signed_data(bytes(changed))
            verify_signer(signed, content_digest=content_digest)
        except (ParseError, VerificationError):
            continue
        still += 1
        assert proved(signed) == before, at
    assert still < len(made) * 2 / 3


def test_no_changed_bit_of_a_program_is_believed(tmp_path: Path) -> None:
    data = tiny_pe(checksum=1, size=0x600)
    made = embedded(data, signature(pe_digest(data)))
    layout = parse_layout(made, len(made))
    trust = Trust(roots=Roots((root().certificate,)))
    path = tmp_path / "a.exe"
    chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
    unhashed = {
        *range(layout.checksum_offset, layout.checksum_offset + 4),
        *range(layout.table_offset, len(made)),
    }
    for at in range(0, layout.table_offset, 7):
        changed = bytearray(made)
        changed[at] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        assert check_file(path, trust=trust, now=NOW).ok is (at in unhashed), hex(at)
