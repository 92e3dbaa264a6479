"""Read a Portable Executable once, for its digest or for its checksum (`pe_layout` says where things lie).

The file is handed in open; memory is one block, whatever its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from sealstead.errors import InputError
from sealstead.formats.digests import ALGORITHMS
from sealstead.formats.pe_layout import PeLayout, digest_ranges

BLOCK_BYTES = 1 << 20

_FOLD = 0xFFFF
_PIECE_BYTES = 1 << 14


class FileShrankError(InputError):
    """The file has become shorter while it was read."""

    code = "file-shrank"


class SeekableBytes(Protocol):
    """An open binary file."""

    def seek(self, offset: int, /) -> int: ...

    def readinto(self, buffer: memoryview, /) -> int | None: ...


def hash_pe(file: SeekableBytes, algs: Iterable[str], layout: PeLayout) -> dict[str, bytes]:
    """Return the Authenticode digests of an open file, read once, in blocks of 1 MiB.

    Raises:
        FileShrankError: it is shorter than the layout says.
    """
    names = tuple(algs)
    hashes = [ALGORITHMS[name].new(usedforsecurity=ALGORITHMS[name].strong) for name in names]
    if not names:
        return {}
    for block in _blocks(file, digest_ranges(layout)):
        for one in hashes:
            one.update(block)
    for one in hashes:
        one.update(bytes(layout.padding))
    return {name: one.digest() for name, one in zip(names, hashes, strict=True)}


def pe_checksum(file: SeekableBytes, layout: PeLayout, size: int) -> int:
    """Return the checksum that Windows asks of drivers, for an open file of `size` bytes as it is now.

    One's-complement sum of 16-bit words without the field itself, plus the size. Only for files that had one.

    Raises:
        FileShrankError: the file is shorter than that.
    """
    total = 0
    # The field may start at an odd offset in a hand-made file: then the words before and after it do not line up.
    for start, end in ((0, layout.checksum_offset), (layout.checksum_offset + 4, size)):
        at = start
        for block in _blocks(file, ((start, end),)):
            shift = 8 * (at & 1)
            # Pieces that stay in the processor's cache: twice as fast as the whole block at once.
            total += (
                sum(
                    int.from_bytes(block[piece : piece + _PIECE_BYTES], "little")
                    for piece in range(0, len(block), _PIECE_BYTES)
                )
                << shift
            )
            at += len(block)
        total %= _FOLD
    # The sum is folded with end-around carry: never 0 unless all was 0.
    folded = total or _FOLD
    return (folded + size) & 0xFFFFFFFF


def _blocks(file: SeekableBytes, ranges: Iterable[tuple[int, int]]) -> Iterator[memoryview]:
    ranges = tuple(ranges)
    # No longer than is needed: to clear a megabyte takes longer than to digest a launcher.
    longest = max((end - start for start, end in ranges), default=0)
    buffer = memoryview(bytearray(min(longest, BLOCK_BYTES)))
    for start, end in ranges:
        file.seek(start)
        left = end - start
        while left:
            got = file.readinto(buffer[: min(left, BLOCK_BYTES)])
            if not got:
                raise FileShrankError("the file has become shorter while it was read")
            left -= got
            yield buffer[:got]
