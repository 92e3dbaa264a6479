"""The plainest requests, read without a parser: a whole GET or HEAD with nothing to interpret.

What installers send thousands of times has no body, no query, no repeated or folded header. Such a request is recognised
here from bytes that have only been looked at; whatever is in the least unusual is left on the socket for gunicorn's parser,
which decides what it means or refuses it. So nothing is accepted here that would be refused there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

LOOK_BYTES: Final = 8192
"""A longer request is left to the parser."""

_LINE: Final = re.compile(rb"(GET|HEAD) (/[A-Za-z0-9/._-]*) HTTP/1\.1\r\n")
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


def read_plain(data: bytes) -> tuple[str, str, Mapping[str, str]] | None:
    """Return method, path and WSGI's names of the headers, or None: let the parser have it.

    `data` is all that the client has sent so far, no more and no less.
    """
    line = _LINE.match(data)
    if line is None or not data.endswith(b"\r\n\r\n"):
        return None
    headers = _headers(data[line.end() :])
    return None if headers is None else (line[1].decode(), line[2].decode(), headers)


# One client sends the same headers with every request.
@lru_cache(maxsize=256)
def _headers(block: bytes) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    for line in block[:-4].split(b"\r\n"):
        match = _HEADER.fullmatch(line)
        if match is None:
            return None
        name, value = match[1].decode().lower(), (match[2] or b"").decode()
        key = "HTTP_" + name.upper().replace("-", "_")
        plain = name not in _LEFT_TO_THE_PARSER or (name, value.lower()) == ("connection", "keep-alive")
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


def serialize_head(status: str, headers: Iterable[tuple[str, str]], *, date: str) -> bytes:
    """Write the head of an answer after which the connection stays open (RFC 9112)."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\nDate: {date}\r\nConnection: keep-alive\r\n{lines}\r\n".encode("latin-1")
