"""The plainest requests, read without a parser: a whole GET, HEAD or short POST with nothing to interpret.

What installers send thousands of times has no body, no query, no repeated or folded header; what asks for one signature has a
short body of an announced length. Such a request is recognised here from bytes that have only been looked at; whatever is in the least unusual is left on the socket for gunicorn's parser,
which decides what it means or refuses it. So nothing is accepted here that would be refused there.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

LOOK_BYTES: Final = 8192
"""A longer request is left to the parser."""

_LINE: Final = re.compile(rb"(GET|HEAD) (/[A-Za-z0-9/._-]*) HTTP/1\.1\r\n")
_POST: Final = re.compile(rb"POST (/[A-Za-z0-9/._-]*) HTTP/1\.1\r\n")
_LENGTH: Final = re.compile(r"[1-9][0-9]{0,3}")
_HEADER: Final = re.compile(rb"([A-Za-z0-9-]{1,80}): ?([!-~](?:[ -~]*[!-~])?)?")
_LEFT_TO_THE_PARSER: Final = frozenset(
    {
        # A body, another protocol, an end of the connection: what changes how bytes are read.
        "content-length",
        "transfer-encoding",
        "expect",
        "upgrade",
        "te",
        "trailer",
        "connection",
        "proxy-connection",
        # What must not stay in the memory of `_headers`.
        "authorization",
        "cookie",
    }
)
_LEFT_OF_A_POST: Final = _LEFT_TO_THE_PARSER - {"content-length", "authorization"}


def read_plain(data: bytes) -> tuple[str, str, Mapping[str, str]] | None:
    """Return method, path and WSGI's names of the headers, or None: let the parser have it.

    `data` is all that the client has sent so far, no more and no less.
    """
    line = _LINE.match(data)
    if line is None or not data.endswith(b"\r\n\r\n"):
        return None
    headers = _headers(data[line.end() :])
    return None if headers is None else (line[1].decode(), line[2].decode(), headers)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PlainPost:
    """A POST; never in a log, for its headers hold a credential."""

    path: str
    headers: Mapping[str, str]
    """Without Content-Length: what there is of the body is in `body`."""
    body: bytes
    length: int
    """Of the whole request in bytes, head and body."""
    missing: int
    """So many bytes of the body have not come yet."""


def read_plain_post(data: bytes) -> PlainPost | None:
    """Return the POST that `data`, all that the client has sent so far, begins or is; None: let the parser have it."""
    line = _POST.match(data)
    end = data.find(b"\r\n\r\n")
    if line is None or end < line.end():
        return None
    headers = _read_headers(data[line.end() : end], _LEFT_OF_A_POST)
    length = headers.pop("HTTP_CONTENT_LENGTH", "") if headers is not None else ""
    if headers is None or _LENGTH.fullmatch(length) is None:
        return None
    whole = end + 4 + int(length)
    if len(data) > whole or whole > LOOK_BYTES:
        return None
    return PlainPost(
        path=line[1].decode(),
        headers=headers,
        body=data[end + 4 :],
        length=whole,
        missing=whole - len(data),
    )


# One client sends the same headers with every request.
@lru_cache(maxsize=256)
def _headers(block: bytes) -> Mapping[str, str] | None:
    return _read_headers(block[:-4], _LEFT_TO_THE_PARSER)


def _read_headers(block: bytes, left: frozenset[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for line in block.split(b"\r\n"):
        match = _HEADER.fullmatch(line)
        if match is None:
            return None
        name, value = match[1].decode().lower(), (match[2] or b"").decode()
        key = "HTTP_" + name.upper().replace("-", "_")
        plain = name not in left or (name, value.lower()) == ("connection", "keep-alive")
        if not plain or key in found:
            return None
        found[key] = value
    return found if found.get("HTTP_HOST") else None


def environ_of(method: str, path: str, headers: Mapping[str, str], address: Any) -> dict[str, Any]:  # noqa: ANN401 - as `accept` gives it
    """Return as much of a WSGI environment as the read path and the access log look at."""
    return {
        **headers,
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": address[0] if isinstance(address, tuple) else "",
        "wsgi.url_scheme": "http",
    }


def environ_of_post(post: PlainPost, address: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return as much of a WSGI environment as the JSON protocol and the access log look at."""
    return {
        **environ_of("POST", post.path, post.headers, address),
        "CONTENT_LENGTH": str(len(post.body)),
        "wsgi.input": io.BytesIO(post.body),
    }


def serialize_head(status: str, headers: Iterable[tuple[str, str]], *, date: str) -> bytes:
    """Write the head of an answer after which the connection stays open (RFC 9112)."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\nDate: {date}\r\nConnection: keep-alive\r\n{lines}\r\n".encode("latin-1")
