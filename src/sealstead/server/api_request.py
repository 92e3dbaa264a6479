"""A request to the JSON protocol as its views see it: facts and a body that is read when it is asked for.

A view takes an `ApiRequest` and returns what JSON can say; it raises `SealsteadError` for a refusal. It knows no
status, no header and no bytes: those are `api_edge.py`.

Rules:
  * the body is read after the credential has been judged (the view decides when), whole or not at all, and never
    beyond `MAX_BODY_BYTES`;
  * one reading: a name that stands twice in an object, NaN, text that is not Unicode are refused, so that nothing between
    the client and this server can have read another request out of the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import parse_qsl

from sealstead.errors import InputError
from sealstead.server.audit.record import Origin

MAX_BODY_BYTES: Final = 1_000_000
_MAX_PARAMETERS: Final = 20
_ESCAPED_SURROGATE: Final = b"\\ud"


class BodyTooLargeError(InputError):
    """The body of a request to the API is larger than any sensible one."""

    code = "body-too-large"


class MalformedBodyError(InputError):
    """The body of a request to the API is cut, or is not one JSON object."""

    code = "malformed-body"


class MalformedQueryError(InputError):
    """The query of a request to the API cannot be read in one way only."""

    code = "malformed-query"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(kw_only=True, slots=True)
class ApiRequest:
    """`at` is the moment of the request: one for everything that is judged and written on its behalf."""

    method: str
    path: str
    at: datetime
    origin: Origin
    authorization: str | None = None
    idempotency_key: str | None = None
    query_string: str = ""
    body_length: int | None = 0
    """What the client announced; None when it sends in chunks."""
    stream: Readable | None = None
    _left: int | None = field(default=None, init=False)

    def query(self) -> dict[str, str]:
        """Return the parameters of the address.

        Raises:
            MalformedQueryError: one stands twice, or there are too many.
        """
        try:
            pairs = parse_qsl(
                self.query_string, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS, errors="strict"
            )
        except ValueError:
            raise MalformedQueryError("the query cannot be read") from None
        found = dict(pairs)
        if len(found) != len(pairs):
            raise MalformedQueryError("a parameter of the query stands twice")
        return found

    def json(self) -> dict[str, Any]:
        """Read the body and return it.

        Raises:
            BodyTooLargeError: announced or sent more than `MAX_BODY_BYTES`.
            MalformedBodyError: cut, or not one JSON object.
        """
        content = self._read()
        try:
            value = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
            if _ESCAPED_SURROGATE in content.lower():
                # Half a character is no text (RFC 8259, section 8.2), and PostgreSQL stores none.
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            # Not `from exc`: its text quotes the body.
            raise MalformedBodyError("the body is not a JSON document") from None
        if not isinstance(value, dict):
            raise MalformedBodyError("the body is not a JSON object")
        return value

    def drain(self, limit: int) -> None:
        """Read and drop what is left of the body, up to `limit`: a client that still sends reads no answer."""
        left = self.body_length if self._left is None else self._left
        if self.stream is None or left is None or left > limit:
            return
        try:
            while left > 0 and (data := self.stream.read(min(left, 65536))):
                left -= len(data)
        except OSError:
            pass  # it has gone; nobody waits for the answer
        self._left = 0

    def _read(self) -> bytes:
        length = self.body_length
        if length is not None and length > MAX_BODY_BYTES:
            raise BodyTooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes")
        if self.stream is None or length == 0:
            return b""
        want = MAX_BODY_BYTES + 1 if length is None else length
        parts: list[bytes] = []
        try:
            while want > 0 and (data := self.stream.read(want)):
                parts.append(data)
                want -= len(data)
        except OSError:
            raise MalformedBodyError("the connection was cut before the body was complete") from None
        self._left = 0
        if length is None and want == 0:
            raise BodyTooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes")
        if length is not None and want > 0:
            raise MalformedBodyError("the connection was cut before the body was complete")
        return b"".join(parts)


Document = Mapping[str, Any] | bytes
"""What JSON can say, or the JSON itself."""
View = Callable[[ApiRequest], Document]
Routes = Mapping[tuple[str, str], View]
"""`{(method, path): view}`; a HEAD is answered by the view of GET."""


Tell = Callable[[Document | None], None]
"""Called once: with the document that may leave, for everything is durable, or with None, for nothing was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """An answer that is ready, and what must be durable before it leaves."""

    document: Document
    commit: Callable[[Tell], None]
    """Begins to write, and tells how it ended, from another thread."""


PromptView = Callable[[ApiRequest], Prepared | None]
"""Prepares what needs no waiting and writes nothing on the way. None, of a refusal too, says: ask the ordinary view, which decides."""
PromptRoutes = Mapping[tuple[str, str], PromptView]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
