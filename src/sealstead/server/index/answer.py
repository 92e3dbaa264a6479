"""What the read path answers, before it is WSGI or Django: a status, headers, and a body or an open file.

RFC 9110, section 13: `If-None-Match` goes before `If-Modified-Since`; entity tags are compared weakly for reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO

Headers = list[tuple[str, str]]

_QUERY = re.compile(r"[!-~]{1,500}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """The parts of a GET or HEAD that the read path looks at. `path` begins with a slash and is percent-decoded."""

    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` never hold Content-Length: who sends the answer knows the length of `body`, or `file_length`."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""
    file: BinaryIO | None = None
    """Positioned at the first byte to send; whoever gets the answer closes it."""
    file_length: int = 0

    @property
    def length(self) -> int:
        return self.file_length if self.file is not None else len(self.body)


def text_answer(status: HTTPStatus, text: str = "", headers: Headers | None = None) -> Answer:
    """Answer a program with one line."""
    line = f"{status.value} {text or status.phrase}\n"
    return Answer(
        status,
        [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-cache"), *(headers or [])],
        line.encode(),
    )


def redirect(location: str, query: str = "") -> Answer:
    """Point to the one address of a page. `location` is a path of this server."""
    target = f"{location}?{query}" if query and _QUERY.fullmatch(query) else location
    return Answer(HTTPStatus.MOVED_PERMANENTLY, [("Location", target)])


def matches(if_none_match: str | None, etag: str) -> bool:
    """Tell whether the client holds this representation already."""
    if if_none_match is None:
        return False
    if etag in if_none_match:
        return any(tag.strip().removeprefix("W/") == etag for tag in if_none_match.split(","))
    return if_none_match.strip() == "*"


def unchanged_since(if_modified_since: str | None, modified_at: datetime) -> bool:
    moment = parse_http_date(if_modified_since)
    return moment is not None and modified_at.replace(microsecond=0) <= moment


def parse_http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)
