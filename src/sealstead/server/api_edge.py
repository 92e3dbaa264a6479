"""The JSON protocol below `/api/v1/`, answered before Django's middleware runs.

Programs ask here, with a credential in each request: no session, no cookie, no language, no template. What is not below
the prefix goes on to the next application.

Rules:
  * every refusal is problem details (RFC 9457), whatever the client accepts; a 401 names the scheme (RFC 9110, 11.6.1);
  * a request id is on every answer, and nothing here may be stored by a cache or run by a browser;
  * the database connection of the thread is checked before and after, as Django does for its own requests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, DataError, connection, connections

from sealstead.errors import DeniedError, InputError, NotFoundError, SealsteadError, UpstreamError
from sealstead.server.api_request import MAX_BODY_BYTES, ApiRequest, Document, PromptRoutes, Routes
from sealstead.server.at_hand import AnswerAtHand
from sealstead.server.audit.origin import printable_agent
from sealstead.server.audit.record import Origin
from sealstead.server.forwarded import REQUEST_ID_KEY, Peer, peer_of, request_id_of
from sealstead.server.problem import problem_document, problem_of

PREFIX: Final = "/api/v1"
DRAIN_BYTES: Final = 4 * MAX_BODY_BYTES
"""So much of a refused body is read to get the answer through; whoever sends more finds the connection closed."""

_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_JSON: Final = ("Content-Type", "application/json")
_RETRY = timedelta(seconds=5)

_log = structlog.get_logger(__name__)


class NoSuchEndpointError(NotFoundError):
    """Nothing of the API has this path."""

    code = "no-such-endpoint"


class MethodNotAllowedError(DeniedError):
    """The path of the API does not take this method."""

    code = "method-not-allowed"

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not allowed here; {', '.join(allowed)} is")
        self.headers = (("Allow", ", ".join(allowed)),)


class ImpossibleValueError(InputError):
    """The database cannot hold a value of the request."""

    code = "impossible-value"


class DatabaseBusyError(UpstreamError):
    """The database does not answer now."""

    code = "database-busy"
    retry_after = _RETRY


def prompt_routes() -> PromptRoutes:
    """Return the endpoints whose plain requests are answered from the worker's express lane."""
    from sealstead.server.signing import api as signing_api

    return signing_api.PROMPT


def routes() -> Routes:
    """Return every endpoint of the protocol."""
    from sealstead.server.credentials import api as credentials_api
    from sealstead.server.signing import api as signing_api

    return {**credentials_api.ROUTES, **signing_api.ROUTES}


class ApiEdge:
    """A WSGI application in front of another one."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        views: Routes | None = None,
        prompt: PromptRoutes | None = None,
    ) -> None:
        self._application = application
        self._views = routes() if views is None else views
        self._prompt = prompt_routes() if prompt is None else prompt
        self._methods: dict[str, list[str]] = {}
        for method, path in self._views:
            self._methods.setdefault(path, []).extend(["GET", "HEAD"] if method == "GET" else [method])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or path[len(PREFIX) :][:1] not in {"", "/"}:
            return self._application(environ, start_response)
        peer = peer_of(environ, settings.SEALSTEAD.trusted_proxies)
        request_id = environ[REQUEST_ID_KEY] = request_id_of(environ, peer)
        request = _request(environ, path, peer, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            status, headers, document = self._answer(request)
        body = _encode(document)
        start_response(_STATUS_LINES[status], headers + _own_headers(environ, peer, request_id, len(body)))
        return [] if request.method == "HEAD" else [body]

    def is_prompt(self, method: str, path: str) -> bool:
        """Tell whether `answer_when_durable` may know an answer.

        Only with SQLite in this machine: a database across a network would hold up everybody else.
        """
        return (method, path) in self._prompt and connection.vendor == "sqlite"

    def answer_when_durable(
        self, environ: WSGIEnvironment, send: Callable[[AnswerAtHand | None], None]
    ) -> bool:
        """Prepare the answer and return True: `send` gets it once it may leave, from another thread; None if it may not.

        Where nothing has been answered, here or by `send`, nothing has been written either: the ordinary way answers.
        """
        path: str = environ["PATH_INFO"]
        peer = peer_of(environ, settings.SEALSTEAD.trusted_proxies)
        request_id = environ[REQUEST_ID_KEY] = request_id_of(environ, peer)
        _check_connection()
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                prepared = self._prompt["POST", path](_request(environ, path, peer, request_id))
        except DatabaseError:
            prepared = None  # met again on the ordinary way, which says so
        finally:
            _check_connection()
        if prepared is None:
            return False
        document = prepared.document

        def answer_of(document: Document) -> AnswerAtHand:
            body = _encode(document)
            headers = [_JSON, *_own_headers(environ, peer, request_id, len(body))]
            return AnswerAtHand(_STATUS_LINES[200], headers, body)

        # Made here, not in the thread that commits for everybody.
        answer = answer_of(document)

        def tell(leaving: Document | None) -> None:
            if leaving is None:
                send(None)
            else:
                send(answer if leaving is document else answer_of(leaving))

        prepared.commit(tell)
        return True

    def _answer(self, request: ApiRequest) -> tuple[int, list[tuple[str, str]], Document]:
        _check_connection()
        try:
            return 200, [_JSON], self._view(request)
        except SealsteadError as exc:
            refused: SealsteadError | None = exc
        except DataError:
            # PostgreSQL raises where SQLite finds nothing: NUL in a text, a number beyond its range.
            refused = ImpossibleValueError("the request holds a value that cannot be")
        except DatabaseError:
            _log.exception("the database cannot be used", path=request.path)
            refused = DatabaseBusyError("the database does not answer now")
        except Exception:  # noqa: BLE001 - nobody above would answer; the trace goes to the log
            _log.exception("unexpected error", path=request.path)
            refused = None
        finally:
            _check_connection()
        request.drain(DRAIN_BYTES)
        if refused is None:
            text = f"Internal Server Error (request {request.origin.request_id})"
            document = problem_document(status=500, text=text, code="internal")
        else:
            document = problem_of(refused)
        return document["status"], _refusal_headers(document["status"], refused), document

    def _view(self, request: ApiRequest) -> Document:
        method = "GET" if request.method == "HEAD" else request.method
        view = self._views.get((method, request.path))
        if view is not None:
            return view(request)
        allowed = self._methods.get(request.path)
        if allowed is None:
            raise NoSuchEndpointError("the API has nothing at this path")
        raise MethodNotAllowedError(request.method, allowed)


def _check_connection() -> None:
    """Drop a connection that broke; the next statement opens another. Within a transaction of the caller it is the caller's."""
    # The connection of this thread itself: `connection` looks it up anew with every attribute.
    database = connections[DEFAULT_DB_ALIAS]
    if not database.in_atomic_block:
        database.close_if_unusable_or_obsolete()


def _request(environ: WSGIEnvironment, path: str, peer: Peer, request_id: str) -> ApiRequest:
    length: int | None
    try:
        length = max(int(environ.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        length = 0
    if not environ.get("CONTENT_LENGTH") and environ.get("HTTP_TRANSFER_ENCODING"):
        length = None
    return ApiRequest(
        method=environ.get("REQUEST_METHOD", "GET"),
        path=path,
        at=settings.SEALSTEAD.clock.now(),
        origin=Origin(
            ip=peer.ip,
            user_agent=printable_agent(environ.get("HTTP_USER_AGENT", "")),
            request_id=request_id,
        ),
        authorization=environ.get("HTTP_AUTHORIZATION"),
        idempotency_key=environ.get("HTTP_IDEMPOTENCY_KEY"),
        query_string=environ.get("QUERY_STRING", ""),
        body_length=length,
        stream=environ.get("wsgi.input"),
    )


def _encode(document: Document) -> bytes:
    if isinstance(document, bytes):
        return document
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _own_headers(environ: WSGIEnvironment, peer: Peer, request_id: str, length: int) -> list[tuple[str, str]]:
    headers = [*_HEADERS, ("X-Request-ID", request_id), ("Content-Length", str(length))]
    if (peer.scheme or environ.get("wsgi.url_scheme")) == "https" and settings.SECURE_HSTS_SECONDS:
        headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    return headers


def _refusal_headers(status: int, exc: SealsteadError | None) -> list[tuple[str, str]]:
    headers = [("Content-Type", "application/problem+json"), *getattr(exc, "headers", ())]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", "Bearer"))
    retry_after: timedelta | None = getattr(exc, "retry_after", None)
    if retry_after is not None:
        headers.append(("Retry-After", str(math.ceil(retry_after.total_seconds()))))
    return headers
