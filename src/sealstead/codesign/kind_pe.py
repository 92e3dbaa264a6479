"""Windows programs and libraries: the signature goes into the file, which is changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sealstead.codesign.digested import Digested, reading
from sealstead.codesign.early import digested_early
from sealstead.codesign.undo import Change
from sealstead.codesign.undo_journal import Content
from sealstead.formats.digests import SIGNING
from sealstead.formats.pe import (
    MAX_HEADER_BYTES,
    PeLayout,
    SeekableBytes,
    digest_ranges,
    hash_pe,
    parse_layout,
    pe_checksum,
    plan_signature,
    signature_in,
)


class PeHandler:
    def digest(self, path: Path, algorithms: Sequence[str]) -> Digested:
        return digested_early(path, algorithms) or read_program(path, algorithms)

    def prepared(self, digested: Digested, signature: bytes) -> Change:
        return _change(digested, signature)


def read_program(path: Path, algorithms: Sequence[str]) -> Digested:
    """Raises as `Handler.digest`."""
    with reading(path) as (file, facts):
        layout = parse_layout(file.read(MAX_HEADER_BYTES), facts[2])
        existing = None
        if layout.signed:
            file.seek(layout.table_offset)
            existing = signature_in(file.read(layout.table_size))
        digests = hash_pe(file, algorithms, layout)
    return Digested(path=path, facts=facts, digests=digests, existing=existing, state=layout)


def _change(digested: Digested, signature: bytes) -> Change:
    layout = digested.state
    assert isinstance(layout, PeLayout)  # noqa: S101 - made below
    plan = plan_signature(layout, signature)
    writes = list(plan.writes)
    if layout.checksum:
        # Who had none needs none: only drivers are refused for a wrong one, and it costs as much as the digest.
        with reading(digested.path) as (file, _):
            value = pe_checksum(_Overlay(file, writes), layout, plan.final_size)
        writes.append((plan.checksum_offset, value.to_bytes(4, "little")))
    name, digest = next((name, value) for name, value in digested.digests.items() if name in SIGNING)
    return Change(
        path=digested.path,
        facts=digested.facts,
        content=Content(
            algorithm=name.lower(), ranges=digest_ranges(layout), padding=layout.padding, digest=digest
        ),
        writes=writes,
        size=plan.final_size,
    )


class _Overlay:
    """A file as it will read once `writes` have been made."""

    def __init__(self, file: SeekableBytes, writes: Sequence[tuple[int, bytes]]) -> None:
        self._file = file
        self._writes = writes
        self._at = 0

    def seek(self, offset: int, /) -> int:
        self._at = offset
        return offset

    def readinto(self, buffer: memoryview, /) -> int:
        start = self._at
        self._file.seek(start)
        count = self._file.readinto(buffer) or 0
        for at, data in self._writes:
            first, end = max(at, start), min(at + len(data), start + len(buffer))
            # Beyond the old end, only what follows without a gap can be read.
            if first < end and first <= start + count:
                buffer[first - start : end - start] = data[first - at : end - at]
                count = max(count, end - start)
        self._at = start + count
        return count
