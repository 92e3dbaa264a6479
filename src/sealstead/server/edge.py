"""The fast read path: answers what installers ask, before Django's middleware runs.

`/simple/`, `/files/` and `/pypi/…/json` need no session, no language and no template. Everything else goes to Django.

Rules:
  * what is read here is the same for everybody; no cookie and no credential is looked at. `gate` is where a private
    index will ask for one: it sees every such request before the path is looked at, so that existing and
    missing paths answer alike;
  * a request id, and the headers that keep a browser from running what was uploaded, are on every answer;
  * GET and HEAD only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from django.conf import settings
from django.db import DatabaseError

from sealstead.server.at_hand import AnswerAtHand, PromptAnswers
from sealstead.server.forwarded import REQUEST_ID_KEY, Peer, peer_of, request_id_of
from sealstead.server.index import files, json_api, simple
from sealstead.server.index.answer import Answer, Headers, ReadRequest, text_answer
from sealstead.server.index.reader import reader

ROUTES: Final[tuple[tuple[str, Callable[[ReadRequest], Answer]], ...]] = (
    (simple.PREFIX, simple.answer_simple),
    (files.PREFIX, files.answer_file),
    (json_api.PREFIX, json_api.answer_json_api),
)
"""Everything that is answered here, by the beginning of its path."""

READ_METHODS: Final = frozenset({"GET", "HEAD"})

_PREFIXES: Final = tuple(prefix for prefix, _ in ROUTES)
_READ_HEADERS: Final = (
    ("HTTP_ACCEPT", "accept"),
    ("HTTP_IF_NONE_MATCH", "if-none-match"),
    ("HTTP_IF_MODIFIED_SINCE", "if-modified-since"),
    ("HTTP_RANGE", "range"),
    ("HTTP_IF_RANGE", "if-range"),
)
_SAFE_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    # An uploaded file is somebody else's content on this server's origin: it may be stored, never run or framed.
    ("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
)
_STATUS_LINES: Final = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}
_BODILESS: Final = frozenset({HTTPStatus.NOT_MODIFIED, HTTPStatus.NO_CONTENT})
_FILE_BLOCK: Final = 256 * 1024

_log = structlog.get_logger(__name__)

Gate = Callable[[WSGIEnvironment], Answer | None]
"""Returns the refusal for a request that may not read the index, or None."""


def unauthenticated() -> Answer:
    """The refusal of a private index. pip asks its keyring and its user only after this header."""
    return text_answer(
        HTTPStatus.UNAUTHORIZED,
        headers=[("WWW-Authenticate", 'Basic realm="package index", charset="UTF-8"')],
    )


class Edge:
    """A WSGI application in front of another one."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        gate: Gate | None = None,
        prompt: PromptAnswers | None = None,
    ) -> None:
        self._application = application
        self._gate = gate
        self.prompt = prompt

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(_PREFIXES) and path != "/simple":
            return self._application(environ, start_response)
        peer = peer_of(environ, settings.SEALSTEAD.trusted_proxies)
        request_id = environ[REQUEST_ID_KEY] = request_id_of(environ, peer)
        answer = self._answer(environ, path, request_id)
        start_response(_STATUS_LINES[answer.status], _headers(environ, peer, request_id, answer))
        return _body(environ, answer)

    def answer_at_hand(self, environ: WSGIEnvironment) -> AnswerAtHand | None:
        """Answer from memory, in the worker's own loop: the pages of projects, once a thread has rendered them.

        Only from SQLite in this machine: a database across a network would hold up everybody else.
        """
        path: str = environ["PATH_INFO"]
        if self._gate is not None or not path.startswith(simple.PREFIX) or not reader().is_local:
            return None
        try:
            answer = simple.answer_from_memory(_read_request(path, environ))
        except DatabaseError:
            return None  # a thread meets it again, and says so
        if answer is None:
            return None
        peer = peer_of(environ, settings.SEALSTEAD.trusted_proxies)
        request_id = environ[REQUEST_ID_KEY] = request_id_of(environ, peer)
        body = b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body
        return AnswerAtHand(_STATUS_LINES[answer.status], _headers(environ, peer, request_id, answer), body)

    def _answer(self, environ: WSGIEnvironment, path: str, request_id: str) -> Answer:
        try:
            refusal = self._gate(environ) if self._gate is not None else None
            if refusal is not None:
                return refusal
            if environ.get("REQUEST_METHOD") not in READ_METHODS:
                text = f"Method Not Allowed: uploads go to {settings.SEALSTEAD.public_url}/legacy/"
                return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, text, [("Allow", "GET, HEAD")])
            return answer_read(path, environ)
        except DatabaseError:
            _log.exception("the database cannot be read", request_id=request_id, path=path)
            return text_answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=[("Retry-After", "5")])
        except Exception:  # noqa: BLE001 - nobody above would answer; the trace goes to the log
            _log.exception("unexpected error", request_id=request_id, path=path)
            return text_answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, f"Internal Server Error (request {request_id})"
            )


def answer_read(path: str, environ: WSGIEnvironment) -> Answer:
    """Answer a GET of one of `ROUTES`."""
    request = _read_request(path, environ)
    for prefix, view in ROUTES:
        if path.startswith(prefix):
            return view(request)
    return simple.answer_simple(request)


def _read_request(path: str, environ: WSGIEnvironment) -> ReadRequest:
    return ReadRequest(
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers={name: environ[key] for key, name in _READ_HEADERS if key in environ},
    )


def _headers(environ: WSGIEnvironment, peer: Peer, request_id: str, answer: Answer) -> Headers:
    headers = [*answer.headers, *_SAFE_HEADERS, ("X-Request-ID", request_id)]
    if (peer.scheme or environ.get("wsgi.url_scheme")) == "https" and settings.SECURE_HSTS_SECONDS:
        headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    if answer.status not in _BODILESS:
        headers.append(("Content-Length", str(answer.length)))
    return headers


def _body(environ: WSGIEnvironment, answer: Answer) -> Iterable[bytes]:
    if environ.get("REQUEST_METHOD") == "HEAD" or answer.status in _BODILESS:
        if answer.file is not None:
            answer.file.close()
        return []
    if answer.file is None:
        return [answer.body]
    wrapper: Any = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return _blocks(answer)
    # The server sends the file from the kernel and stops at Content-Length, which matters for ranges.
    sent: Iterable[bytes] = wrapper(answer.file, _FILE_BLOCK)
    return sent


def _blocks(answer: Answer) -> Iterable[bytes]:
    assert answer.file is not None  # noqa: S101 - for the type checker; `_body` looked
    with answer.file as file:
        left = answer.file_length
        while left > 0 and (block := file.read(min(_FILE_BLOCK, left))):
            left -= len(block)
            yield block
