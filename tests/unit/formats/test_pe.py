"""Signatures in Windows programs: put in, taken out, and what may not stand beside them."""

from __future__ import annotations

import hashlib
import io
import struct

import pytest
from tests.executables import launcher, tiny_pe
from tests.signers import signature

from sealstead.errors import ParseError
from sealstead.formats.pe import (
    MAX_HEADER_BYTES,
    CertificateEntry,
    MalformedPeError,
    PeLayout,
    PeTooLargeError,
    UnsignedTailError,
    hash_pe,
    parse_layout,
    parse_table,
    plan_signature,
    signature_in,
)

SIGNATURE = signature(hashlib.sha256(b"x").digest())


def layout_of(data: bytes) -> PeLayout:
    return parse_layout(data[:MAX_HEADER_BYTES], len(data))


def embedded(data: bytes, der: bytes) -> bytes:
    plan = plan_signature(layout_of(data), der)
    out = bytearray(data[: plan.final_size].ljust(plan.final_size, b"\0"))
    for offset, written in plan.writes:
        out[offset : offset + len(written)] = written
    return bytes(out)


def found_in(data: bytes) -> bytes | None:
    layout = layout_of(data)
    return signature_in(data[layout.table_offset :] if layout.signed else b"")


def digest(data: bytes) -> bytes:
    return hash_pe(io.BytesIO(data), ["SHA256"], layout_of(data))["SHA256"]


@pytest.mark.parametrize("size", range(0x600, 0x609))
@pytest.mark.parametrize("plus", [False, True])
def test_a_signature_goes_in_and_the_digest_stays(size: int, plus: bool) -> None:
    data = tiny_pe(size=size, plus=plus)
    signed = embedded(data, SIGNATURE)
    assert found_in(data) is None
    assert found_in(signed) == SIGNATURE
    assert digest(signed) == digest(data)
    assert len(signed) % 8 == 0


def test_a_signature_is_replaced_by_a_shorter_and_a_longer_one() -> None:
    data = launcher()
    signed = embedded(data, SIGNATURE)
    for other in (signature(digest(data), description="x" * 300), SIGNATURE):
        signed = embedded(signed, other)
        assert found_in(signed) == other
    assert signed == embedded(data, SIGNATURE)


def test_the_writes_come_in_an_order_that_leaves_an_unsigned_file_when_interrupted() -> None:
    data = tiny_pe(size=0x603)
    plan = plan_signature(layout_of(data), SIGNATURE)
    (at, table), (directory, entry) = plan.writes
    assert at == 0x603
    assert table[:5] == bytes(5)
    assert directory == layout_of(data).security_offset
    assert struct.unpack("<II", entry) == (0x608, plan.final_size - 0x608)


def test_no_place_left() -> None:
    data = tiny_pe()
    layout = parse_layout(data, (1 << 32) - 100)
    with pytest.raises(PeTooLargeError):
        plan_signature(layout, SIGNATURE)


def entry(data: bytes, kind: int = 2, length: int | None = None, revision: int = 0x200) -> bytes:
    size = 8 + len(data) if length is None else length
    made = struct.pack("<IHH", size, revision, kind) + data
    return made + bytes(-len(made) % 8)


def test_nothing_but_a_signature_of_the_known_revision_is_let_be() -> None:
    """Whatever else the table holds, nothing vouches for."""
    other = entry(b"x" * 5, kind=1)
    assert parse_table(other + entry(SIGNATURE))[0] == CertificateEntry(0x200, 1, b"x" * 5)
    old = entry(SIGNATURE, revision=0x100)
    for table in (other, other + entry(SIGNATURE), entry(SIGNATURE) + other, old):
        with pytest.raises(MalformedPeError, match="something else"):
            signature_in(table)
    assert signature_in(entry(SIGNATURE)) == SIGNATURE


def test_what_follows_an_entry_is_padding() -> None:
    table = entry(SIGNATURE + bytes(3 + -len(SIGNATURE) % 8))
    assert table[-5:] == bytes(5)
    assert signature_in(table) == signature_in(table[:-5]) == SIGNATURE
    with pytest.raises(UnsignedTailError):
        signature_in(table[:-1] + b"x")


@pytest.mark.parametrize(
    "table",
    [
        b"\0",
        entry(b"")[:7],
        entry(b""),
        entry(SIGNATURE, length=1 << 20),
        entry(SIGNATURE, length=0),
        bytes(64),
    ],
)
def test_a_table_that_cannot_be_read(table: bytes) -> None:
    with pytest.raises(MalformedPeError):
        signature_in(table)


def test_too_many_entries() -> None:
    with pytest.raises(MalformedPeError):
        parse_table(entry(b"x", kind=9) * 65)


def test_several_signatures_are_nested_and_not_queued() -> None:
    with pytest.raises(MalformedPeError, match="several"):
        signature_in(entry(SIGNATURE) * 2)


@pytest.mark.parametrize("tail", [b"evil", bytes(7) + b"x", bytes(8), bytes(4096)])
def test_nothing_is_hidden_behind_the_signature(tail: bytes) -> None:
    """MS13-098: what follows the signature inside its entry is covered by nothing."""
    with pytest.raises(UnsignedTailError):
        signature_in(entry(SIGNATURE + tail))


def test_an_entry_that_holds_no_signature() -> None:
    with pytest.raises(ParseError):
        signature_in(entry(b"\x30\x82\xff\xff"))
