from __future__ import annotations

import pytest

from sealstead.formats.byte_ranges import UNSATISFIABLE, ByteRange, Unsatisfiable, select_range

SIZE = 100


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", ByteRange(first=0, last=0)),
        ("bytes=0-99", ByteRange(first=0, last=99)),
        ("bytes=10-", ByteRange(first=10, last=99)),
        ("bytes=99-", ByteRange(first=99, last=99)),
        ("bytes=10-1000", ByteRange(first=10, last=99)),
        ("bytes=-1", ByteRange(first=99, last=99)),
        ("bytes=-100", ByteRange(first=0, last=99)),
        ("bytes=-1000", ByteRange(first=0, last=99)),
        ("bytes=100-", UNSATISFIABLE),
        ("bytes=100-200", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        # Malformed, of another unit, or several: ignored, and the whole is sent.
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1-2,5-6", None),
        ("lines=0-5", None),
        ("bytes 0-5", None),
        ("bytes=0-" + "9" * 400, None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_the_part_to_send(header: str | None, part: ByteRange | Unsatisfiable | None) -> None:
    assert select_range(header, SIZE) == part


def test_an_empty_file_has_no_range() -> None:
    assert select_range("bytes=0-", 0) is UNSATISFIABLE
    assert select_range("bytes=-5", 0) is UNSATISFIABLE


def test_length_counts_both_ends() -> None:
    assert ByteRange(first=10, last=19).length == 10
