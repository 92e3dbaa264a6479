"""Responses of HTTP/1.1 (RFC 9112) from bytes: the head, and how long the body is.

Only what a reader of pages needs: no trailers, no pipelining, no upgrade. What is ambiguous is refused rather than
guessed (two lengths, a length beside a coding, a header folded over lines), for whoever guesses differently from the
server reads the next answer as part of this one.
"""

from __future__ import annotations

import re
import zlib
from typing import Literal, NamedTuple, Protocol

from sealstead.errors import ParseError

MAX_HEAD_BYTES = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?")
"""Sites answer with numbers that RFC 9110 does not have (999: no programs); what they mean, the caller knows."""
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_CHUNK_SIZE = rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?"
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_LONGEST_CHUNK_LINE = 1024
_NO_BODY = frozenset({204, 304})


class MalformedResponseError(ParseError):
    """Not a response of HTTP/1.1, or one that could be read in two ways."""

    code = "malformed-response"


class Head(NamedTuple):
    status: int
    reason: str
    fields: dict[str, str]
    """By name in lower case; values of a repeated name are joined by `, ` (RFC 9110, section 5.3)."""
    keeps_open: bool
    """Whether the connection may be used again after the body."""


def parse_head(data: bytes) -> Head:
    """Return the head that `data` holds, without the empty line that ends it.

    Raises:
        MalformedResponseError: not a head of HTTP/1.1.
    """
    first, _, rest = data.partition(b"\r\n")
    match = _STATUS_LINE.fullmatch(first)
    if match is None:
        raise MalformedResponseError("the answer is not HTTP")
    fields: dict[str, str] = {}
    for line in rest.split(b"\r\n") if rest else ():
        found = _FIELD.fullmatch(line)
        if found is None:
            raise MalformedResponseError("the answer holds a header line that is none")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1").rstrip(" \t")
        if name == "content-length" and fields.get(name, value) != value:
            raise MalformedResponseError("the answer names two lengths")
        if name in fields and name != "content-length":
            value = f"{fields[name]}, {value}"
        fields[name] = value
    connection = fields.get("connection", "").lower()
    return Head(
        status=int(match[2]),
        reason=(match[3] or b"").decode("latin-1"),
        fields=fields,
        keeps_open=match[1] == b"1" and "close" not in connection,
    )


class Body:
    """Takes what arrives after a head and hands out the body, decoded.

    `done` says that it is complete. `clean` turns false when bytes came after its end: that connection must not be
    used again, for they would be read as the next answer.
    """

    def __init__(self, head: Head) -> None:
        coding = head.fields.get("transfer-encoding")
        length = head.fields.get("content-length")
        self._left: int | None = None
        self._chunks: _Chunks | None = None
        if head.status in _NO_BODY:
            self._left = 0
        elif coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise MalformedResponseError("the answer frames its body in a way that is not understood")
            self._chunks = _Chunks()
        elif length is not None:
            if _LENGTH.fullmatch(length) is None:
                raise MalformedResponseError("the answer names a length that is none")
            self._left = int(length)
        self._inflate = _decoder(head.fields.get("content-encoding", ""))
        self.done = self._left == 0
        self.clean = True

    def feed(self, data: bytes, *, most: int) -> bytes:
        """Return what `data` adds to the body: at most `most` bytes, however far it would inflate.

        Raises:
            MalformedResponseError: chunks or compression are broken.
        """
        plain = self._unframed(data)
        if self._inflate is None or not plain or not most:
            return plain[:most]
        try:
            return self._inflate.decompress(plain, most)
        except zlib.error as exc:
            raise MalformedResponseError("the answer is not compressed as it says") from exc

    def end(self) -> None:
        """Tell that the connection has ended.

        Raises:
            MalformedResponseError: in the middle of a body whose length was told.
        """
        if not self.done and (self._chunks or self._left is not None):
            raise MalformedResponseError("the answer ended before it was complete")
        self.done = True

    def _unframed(self, data: bytes) -> bytes:
        if self._chunks is not None:
            plain = self._chunks.feed(data)
            self.done = self._chunks.state == "end"
            self.clean = not self._chunks.rest
            return plain
        if self._left is None:  # until the connection ends
            return data
        plain = data[: self._left]
        self.clean = len(data) <= self._left
        self._left -= len(plain)
        self.done = self._left == 0
        return plain


class _Chunks:
    """The chunked coding (RFC 9112, section 7.1): size, data, line end, until a size of nought; then trailers."""

    def __init__(self) -> None:
        self.state: Literal["size", "data", "line-end", "trailers", "end"] = "size"
        self.rest = b""
        """What has not been understood yet; after the end, what should not be there."""
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        self.rest += data
        parts: list[bytes] = []
        while self.rest and self.state != "end":
            if self.state == "data":
                taken = self.rest[: self._left]
                self.rest = self.rest[len(taken) :]
                self._left -= len(taken)
                parts.append(taken)
                if not self._left:
                    self.state = "line-end"
            elif not self._line():
                break
        return b"".join(parts)

    def _line(self) -> bool:
        """Take one line; false when it is not there in full."""
        line, found, rest = self.rest.partition(b"\r\n")
        if len(line) > _LONGEST_CHUNK_LINE:
            raise MalformedResponseError("the answer's chunks are broken")
        if not found:
            return False
        self.rest = rest
        match self.state:
            case "size":
                size = re.fullmatch(_CHUNK_SIZE, line)
                if size is None:
                    raise MalformedResponseError("the answer's chunks are broken")
                self._left = int(size[1], 16)
                self.state = "data" if self._left else "trailers"
            case "line-end":
                if line:
                    raise MalformedResponseError("the answer's chunks are broken")
                self.state = "size"
            case _:
                self.state = "trailers" if line else "end"
        return True


class _Inflater(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _decoder(coding: str) -> _Inflater | None:
    """Return what undoes a coding. We ask for none, but some servers compress whatever is asked."""
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
        case _:
            raise MalformedResponseError("the answer is compressed in a way that was not asked for")
