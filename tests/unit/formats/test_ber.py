"""BER of other signers, made definite; what was so already keeps its bytes."""

from __future__ import annotations

import hashlib

import pytest
from tests.executables import tiny_pe
from tests.signed_files import embedded, indefinite, pe_digest
from tests.signers import detached, signature

from sealstead.formats import der
from sealstead.formats.ber import MAX_DEPTH, MAX_VALUES, definite, first_definite
from sealstead.formats.cms import add_unsigned_attribute, parse_signed_data, verify_signer
from sealstead.formats.der import MalformedDerError
from sealstead.formats.pe import UnsignedTailError, parse_layout, signature_in

END = b"\0\0"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_signature_is_read_as_if_it_were_written_in_der(depth: int) -> None:
    made = detached(hashlib.sha256(b"file").digest())
    written = indefinite(made, depth)
    assert written != made
    assert definite(written) == made
    signed = parse_signed_data(written)
    assert signed.der == made
    verify_signer(signed, content_digest=hashlib.sha256(b"file").digest())
    longer = add_unsigned_attribute(written, "1.2.3", der.null())
    assert longer == add_unsigned_attribute(made, "1.2.3", der.null())


def test_strings_in_pieces() -> None:
    pieces = (
        b"\x24\x80" + der.octets(b"con") + b"\x24\x80" + der.octets(b"te") + END + der.octets(b"nt") + END
    )
    assert definite(b"\x30\x80" + pieces + END) == der.seq(der.octets(b"content"))
    whole = b"\x24\x07" + der.octets(b"abc") + der.octets(b"")
    assert definite(b"\x30\x80" + whole + END) == der.seq(der.octets(b"abc"))
    assert definite(b"\x30\x80\x24\x80" + END + END) == der.seq(der.octets(b""))


def test_below_a_definite_length_too() -> None:
    inner = b"\x31\x80" + der.null() + END
    assert definite(b"\x30\x80" + der.tlv(0xA0, inner) + END) == der.seq(der.tag(0, der.set_of(der.null())))


def test_der_keeps_its_bytes_and_so_does_what_is_not_shortest_in_it() -> None:
    long_form = b"\x30\x81\x02\x05\x00"
    assert definite(long_form) is long_form
    assert definite(b"\x30\x80" + long_form + END) == der.seq(long_form)


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80",
        b"\x30\x80\0",
        b"\x30\x80\x05\0",
        b"\x30\x80\x05\0\0",
        b"\x30\x80" + END + b"\0",
        b"\x04\x80" + END,
        b"\x3f\x80" + END,
        b"\x30\x80\x04\x05a" + END,
        b"\x30\x80\x30\x02\x30\x80" + END + END,
        b"\x30\x80\x24\x80\x05\0" + END + END,
        b"\x30\x80\x24\x80\x24\x80\x02\x01\x01" + END + END + END,
    ],
)
def test_what_is_no_value(data: bytes) -> None:
    with pytest.raises(MalformedDerError):
        definite(data)


def test_it_has_bounds() -> None:
    assert definite(b"\x30\x80" * (MAX_DEPTH - 1) + END * (MAX_DEPTH - 1))
    for data in (
        b"\x30\x80" * 5000 + END * 5000,
        b"\x30\x80" + b"\x30\0" * MAX_VALUES + END,
        b"\x30\x80" * (1 << 20),
    ):
        with pytest.raises(MalformedDerError, match="too many parts"):
            definite(data)


def test_a_program_may_carry_one() -> None:
    data = tiny_pe()
    made = signature(pe_digest(data))
    written = indefinite(made, 3)
    signed = embedded(data, written)
    layout = parse_layout(signed, len(signed))
    table = signed[layout.table_offset :]
    found = signature_in(table)
    assert found is not None
    assert (found, definite(found), first_definite(written)[1]) == (written, made, len(written))
    with pytest.raises(UnsignedTailError):
        signature_in(signed_tail(table))


def signed_tail(table: bytes) -> bytes:
    """The table with eight bytes more, inside the entry."""
    return (int.from_bytes(table[:4], "little") + 8).to_bytes(4, "little") + table[4:] + b"\x01" * 8
