"""How many rounds a key file asks for, as DER and as the BER that Windows writes."""

from __future__ import annotations

import pytest
from tests.certificates import leaf
from tests.key_files import SALT, SCRYPT, key, pfx, shrouded

from sealstead.formats.der import octets, seq, tlv
from sealstead.formats.key_work import MalformedBerError, rounds_of


def open_ended(number: int, *parts: bytes) -> bytes:
    return bytes((number, 0x80)) + b"".join(parts) + b"\0\0"


@pytest.mark.parametrize(
    ("data", "rounds"),
    [
        (key(2048), 2048),
        (key(2**31, 32), 2**31),
        (key(2**14, 8, 2, 32, function=SCRYPT), 2**18),
        (pfx(seq(), 2**31), 2**31),
        (pfx(shrouded(key(600_000)), 2000), 602_000),
        (pfx(seq(shrouded(key(5)), shrouded(key(7))), 1), 13),
        # What goes on after a value, is none, or has a tag of the long form hides nothing.
        (pfx(shrouded(key(9)) + b"garbage"), 10),
        (pfx(seq(tlv(0x31, b"\x04\x7f"), b"\xbf\x81\x01\x00", key(9))), 10),
        # BER: open ends, strings in pieces, a number with zeros in front.
        (open_ended(0x30, open_ended(0x24, octets(key(3)[:9]), octets(key(3)[9:]))), 3),
        (open_ended(0x30, open_ended(0x24, octets(b"salt")), b"\x02\x06\0\0\x80\0\0\0"), 2**31),
        (key(7, salt=b"\x24\x00"), 7),
        (leaf().pfx(), 2048),
        (leaf().der, 0),
    ],
    ids=range(13),
)
def test_rounds_are_counted(data: bytes, rounds: int) -> None:
    assert rounds_of(data) == rounds


def test_numbers_beyond_all_bounds_are_only_large() -> None:
    assert 2**64 < rounds_of(seq(SALT, tlv(0x02, b"\x7f" * 5000))) < 2**80


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x05\x00", b"\x30\x80", b"\x04\x80\0\0", b"\x30\x80" * 9000, b"\x1f\xff"],
    ids=range(7),
)
def test_what_is_no_value_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedBerError):
        rounds_of(data)
