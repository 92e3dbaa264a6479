"""Where things lie in a Windows program: real ones, and those that lie about it."""

from __future__ import annotations

import pytest
from tests.executables import launcher, launchers, tiny_pe

from sealstead.errors import ParseError, SealsteadError
from sealstead.formats.pe_layout import (
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    MAX_TABLE_BYTES,
    MalformedPeError,
    NotPeError,
    PeLayout,
    PeTooLargeError,
    UnsignedTailError,
    digest_ranges,
    parse_layout,
)


def layout(data: bytes, size: int | None = None) -> PeLayout:
    return parse_layout(data[:MAX_HEADER_BYTES], len(data) if size is None else size)


def refused(data: bytes, error: type[SealsteadError], words: str, size: int | None = None) -> None:
    with pytest.raises(SealsteadError, match=words) as caught:
        layout(data, size)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("name", "machine", "plus"),
    [("t32.exe", 0x14C, False), ("t64.exe", 0x8664, True), ("w64-arm.exe", 0xAA64, True)],
)
def test_real_launchers(name: str, machine: int, plus: bool) -> None:
    found = layout(launcher(name))
    assert (found.machine, found.plus, found.signed) == (machine, plus, False)


def test_all_launchers_are_read() -> None:
    for path in launchers().values():
        data = path.read_bytes()
        assert layout(data).content_end == len(data)


@pytest.mark.parametrize("plus", [False, True])
def test_all_is_hashed_but_three_places(plus: bool) -> None:
    data = tiny_pe(plus=plus, checksum=0x1234, size=0x605)
    found = layout(data)
    assert found.checksum == 0x1234
    gaps = [end for _, end in digest_ranges(found)]
    starts = [start for start, _ in digest_ranges(found)]
    assert starts[0] == 0
    assert gaps[-1] == 0x605
    assert found.padding == 3
    assert [start - end for start, end in zip(starts[1:], gaps, strict=False)] == [4, 8]
    assert data[found.checksum_offset : found.checksum_offset + 2] == b"\x34\x12"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "MZ"),
        (b"MZ", "MZ"),
        (b"\x7fELF" + bytes(100), "MZ"),
        (b"MZ" + bytes(62), "DOS"),
        (tiny_pe(signature=b"NE\0\0"), "16-bit"),
        (tiny_pe(signature=b"LE\0\0"), "16-bit"),
        (tiny_pe(signature=b"PE\0\1"), "DOS"),
        (b"MZ" + bytes(58) + b"\xff\xff\xff\xff" + bytes(100), "DOS"),
        (b"MZ" + bytes(58) + b"\x04\0\0\0" + b"PE\0\0" + bytes(100), "DOS"),
    ],
)
def test_what_is_no_windows_program(data: bytes, words: str) -> None:
    refused(data, NotPeError, words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiny_pe(optional_magic=0x107), "0x107"),
        (tiny_pe(directories=4), "no place"),
        (tiny_pe(directories=0), "no place"),
        (tiny_pe(sections=((0x400, 0x300),)), "cut off"),
        (tiny_pe(sections=((0xFFFFFFFF, 0xFFFFFFFF),)), "cut off"),
        (tiny_pe(sections=((0x300, 0x200), (0x400, 0x100))), "over each other"),
        (tiny_pe(sections=((0x400, 0x100), (0x400, 0x100))), "over each other"),
        (tiny_pe(sections=((0x10, 0x100),)), "headers"),
        (tiny_pe(security=(0x600, 8)), "cut off"),
        (tiny_pe(security=(0x600, 0xFFFFFFFF)), "cut off"),
        (tiny_pe(security=(0xFFFFFFF8, 8)), "cut off"),
        (tiny_pe(security=(0, 0x100)), "cannot lie"),
        (tiny_pe(security=(0x500, 0x100)), "cannot lie"),
        (tiny_pe(security=(8, 0x5F8)), "cannot lie"),
        (tiny_pe(security=(0x600, 0)), "cannot lie"),
        (tiny_pe(security=(0x601, 7), size=0x608), "cannot lie"),
    ],
)
def test_a_program_whose_parts_cannot_lie_there(data: bytes, words: str) -> None:
    refused(data, MalformedPeError, words)


def test_a_table_that_nobody_should_hold_in_memory() -> None:
    head = tiny_pe(security=(0x600, MAX_TABLE_BYTES + 8))
    refused(head, MalformedPeError, "larger than any", 0x600 + MAX_TABLE_BYTES + 8)


def test_nothing_follows_the_certificate_table() -> None:
    assert layout(tiny_pe(security=(0x600, 0x10), size=0x610)).signed
    refused(tiny_pe(security=(0x600, 0x10), size=0x611), UnsignedTailError, "follows")


def test_offsets_of_32_bits() -> None:
    assert layout(tiny_pe(), MAX_FILE_BYTES).size == MAX_FILE_BYTES
    refused(tiny_pe(), PeTooLargeError, "4 GB", MAX_FILE_BYTES + 1)


def test_a_header_too_far_into_the_file() -> None:
    far = tiny_pe(start=MAX_HEADER_BYTES - 0x40, size=MAX_HEADER_BYTES + 0x1000, sections=())
    refused(far, MalformedPeError, "too far")
    assert not layout(tiny_pe(start=0x8000, size=0x9000, sections=())).signed


def test_every_cut_is_refused_by_type() -> None:
    data = tiny_pe(security=(0x600, 0x10), size=0x610)
    for length in range(len(data)):
        with pytest.raises(ParseError):
            layout(data[:length])


def test_sections_without_data_in_the_file_lie_nowhere() -> None:
    """Linkers write any offset for .bss, and any size where the offset is 0."""
    assert layout(tiny_pe(sections=((0x400, 0x200), (0, 0x9000), (0x400, 0)))).content_end == 0x600
