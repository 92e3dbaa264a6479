"""The one pass over a Windows program."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable

import pytest
from tests.executables import launcher, tiny_pe

from sealstead.formats.pe_digest import BLOCK_BYTES, FileShrankError, hash_pe, pe_checksum
from sealstead.formats.pe_layout import MAX_HEADER_BYTES, parse_layout


class Trickle(io.BytesIO):
    """A file that gives a little at a time, and odd numbers of it, as pipes and networks do."""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return super().readinto(buffer[: 4093 if self.tell() % 2 else 7777])


@pytest.mark.parametrize("opened", [io.BytesIO, Trickle])
@pytest.mark.parametrize("size", [0x600, 0x601, 0x607, BLOCK_BYTES, 2 * BLOCK_BYTES + 3])
def test_the_digest_leaves_out_what_signing_changes(opened: Callable[[bytes], io.BytesIO], size: int) -> None:
    data = tiny_pe(checksum=77, size=size)
    layout = parse_layout(data[:MAX_HEADER_BYTES], len(data))
    kept = bytearray(data)
    del kept[layout.security_offset : layout.security_offset + 8]
    del kept[layout.checksum_offset : layout.checksum_offset + 4]
    kept += bytes(-size % 8)
    found = hash_pe(opened(data), ["SHA256", "SHA512"], layout)
    assert found == {
        "SHA256": hashlib.sha256(kept).digest(),
        "SHA512": hashlib.sha512(kept).digest(),
    }


def checksum_by_words(data: bytes, skipped: int) -> int:
    """The sum as Microsoft describes it for CheckSumMappedFile: word by word, carry added at once."""
    padded = data[:skipped] + bytes(4) + data[skipped + 4 :] + bytes(len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack("<H", padded):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(data)


@pytest.mark.parametrize("opened", [io.BytesIO, Trickle])
@pytest.mark.parametrize("start", [0x80, 0x81])
@pytest.mark.parametrize("size", [0x600, 0x601, 100_003])
def test_the_checksum(opened: Callable[[bytes], io.BytesIO], size: int, start: int) -> None:
    data = tiny_pe(checksum=0x1234, size=size, start=start)
    layout = parse_layout(data[:MAX_HEADER_BYTES], len(data))
    assert pe_checksum(opened(data), layout, size) == checksum_by_words(data, layout.checksum_offset)


def test_a_linker_says_the_same_checksum() -> None:
    data = launcher("t64.exe")
    layout = parse_layout(data[:MAX_HEADER_BYTES], len(data))
    assert layout.checksum != 0
    assert pe_checksum(io.BytesIO(data), layout, len(data)) == layout.checksum


def test_a_file_that_has_become_shorter() -> None:
    data = tiny_pe()
    layout = parse_layout(data, len(data))
    with pytest.raises(FileShrankError):
        hash_pe(io.BytesIO(data[:-1]), ["SHA256"], layout)
    with pytest.raises(FileShrankError):
        pe_checksum(io.BytesIO(data[:-1]), layout, len(data))
