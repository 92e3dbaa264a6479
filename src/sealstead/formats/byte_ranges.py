"""One byte range of a file: `Range` and `Content-Range` (RFC 9110, section 14).

Only a single range is honoured. Several ranges are answered with the whole file, which section 14.2 allows: no
installer sends them, and many small ranges are a known way to make a server work hard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """Both ends are inclusive, as on the wire."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable:
    """The range is well-formed and starts behind the end: 416."""


UNSATISFIABLE = Unsatisfiable()


def select_range(header: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """Return the part to send, or None for the whole.

    A header of another unit, with several ranges, or malformed is ignored (sections 14.2, 14.1.1).
    """
    if not header:
        return None
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        suffix = int(match[2])
        if suffix == 0 or size == 0:
            return UNSATISFIABLE
        return ByteRange(first=max(0, size - suffix), last=size - 1)
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return None
    if first >= size:
        return UNSATISFIABLE
    return ByteRange(first=first, last=last)
