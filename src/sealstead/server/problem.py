"""Refusals over HTTP: the one table from errors to statuses, and how a refusal is written.

A refusal says its text three times, because clients show different parts: in the reason phrase (all that twine
prints), in a plain body, and as problem details (RFC 9457) when the client accepts JSON (uv).

Families are found by class. Concrete errors live above this module (imports point down), so their rows name the
stable `code`; `tests/architecture` finds rows without a class.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers

from sealstead import errors

FAMILIES: tuple[tuple[type[errors.SealsteadError], int], ...] = (
    (errors.InputError, 400),
    (errors.ParseError, 400),
    (errors.VerificationError, 400),
    (errors.DeniedError, 403),
    (errors.NotFoundError, 404),
    (errors.ConflictError, 409),
    (errors.ExpiredError, 403),
    (errors.KeyUnavailableError, 503),
    (errors.UpstreamError, 502),
    (errors.SealsteadError, 400),
)
"""First match wins."""

CODES: dict[str, tuple[int | None, str]] = {
    # code: (status, or None for the family's; anchors in /help/ with a blank between them, or "")
    "upload-not-allowed": (None, "project-name"),
    "too-many-attempts": (429, ""),
    # The reference answers 400 where a conflict is meant; clients look for it and for the beginning of the text.
    "file-exists": (400, "file-name-reuse"),
    "file-name-burned": (400, "file-name-reuse"),
    "release-closed": (400, "release-age"),
    "invalid-file-name": (None, "file-checks"),
    "invalid-archive": (None, "file-checks"),
    "upload-too-large": (None, "file-size"),
    "uploads-closed": (None, "project-state"),
    "second-sdist": (400, ""),
    "project-name-refused": (400, "project-name"),
    "upload-action-gone": (410, ""),
    "length-required": (411, ""),
    "upload-cut": (400, ""),
    "storage-full": (507, ""),
    "index-busy": (503, ""),
    "invalid-credential": (None, "invalid-auth"),
    "password-not-supported": (None, "apitoken trusted-publishers"),
    "token-expired": (None, "invalid-auth"),
    "token-retired": (None, "invalid-auth"),
    "caveat-not-met": (None, "invalid-auth"),
    "email-not-verified": (None, "invalid-auth"),
    "too-many-failures": (429, "invalid-auth"),
    "body-too-large": (413, ""),
    "method-not-allowed": (405, ""),
    "database-busy": (503, ""),
    "invalid-api-key": (401, ""),
    "api-key-expired": (401, ""),
    "api-key-retired": (401, ""),
    "api-key-disabled": (401, ""),
    "api-key-owner-disabled": (401, ""),
    "key-rate-exceeded": (429, ""),
}

API_PREFIXES = ("/legacy/", "/simple/", "/files/", "/pypi/", "/health/", "/api/")
"""Paths that programs read: they never get an HTML page."""

_REASON_LIMIT = 500
"""Long enough for every text of ours with its link; http.client stops at 64 KiB a line."""

_log = structlog.get_logger(__name__)


def status_of(exc: errors.SealsteadError) -> int:
    status, _ = CODES.get(exc.code, (None, ""))
    return status or next(status for family, status in FAMILIES if isinstance(exc, family))


def text_of(exc: errors.SealsteadError) -> str:
    """Return the message with the link to the help page, as one line."""
    _, anchor = CODES.get(exc.code, (None, ""))
    message = " ".join(exc.message.split())
    if not anchor:
        return message
    stop = "" if message.endswith((".", "!", "?")) else "."
    links = " and ".join(help_link(one) for one in anchor.split())
    return f"{message}{stop} See {links} for more information."


def help_link(anchor: str) -> str:
    return f"{settings.SEALSTEAD.public_url}/help/#{anchor}"


def problem_of(exc: errors.SealsteadError) -> dict[str, Any]:
    """Return `exc` as problem details (RFC 9457). `hint`, and the error's `facts`, are extensions."""
    _, anchor = CODES.get(exc.code, (None, ""))
    about = help_link(anchor.split()[0]) if anchor else "about:blank"
    document = problem_document(status=status_of(exc), text=text_of(exc), code=exc.code, about=about)
    if exc.hint:
        document["hint"] = exc.hint
    return {**exc.facts, **document}


def refusal(request: HttpRequest, exc: errors.SealsteadError) -> HttpResponse:
    """Answer `exc` to a program."""
    _, anchor = CODES.get(exc.code, (None, ""))
    response = answer(
        request,
        status=status_of(exc),
        text=text_of(exc),
        code=exc.code,
        about=help_link(anchor.split()[0]) if anchor else "about:blank",
    )
    retry_after: timedelta | None = getattr(exc, "retry_after", None)
    if retry_after is not None:
        response["Retry-After"] = str(math.ceil(retry_after.total_seconds()))
    return response


def answer(
    request: HttpRequest, *, status: int, text: str, code: str, about: str = "about:blank"
) -> HttpResponse:
    """Write one refusal; `text` is one line."""
    reason = _reason(text)
    response: HttpResponse
    if _wants_json(request):
        response = JsonResponse(
            problem_document(status=status, text=text, code=code, about=about),
            status=status,
            reason=reason,
            content_type="application/problem+json",
        )
    else:
        response = HttpResponse(
            f"{status} {text}\n", status=status, reason=reason, content_type="text/plain; charset=utf-8"
        )
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response


class ProblemMiddleware:
    """Answers what a view raised: an expected error by the table, anything else as a 500 without a trace."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if isinstance(exc, DataError):
            # PostgreSQL raises where SQLite finds nothing: NUL in a path or a field, a number beyond its range.
            return answer(
                request, status=400, text="The request holds a value that cannot be", code="impossible-value"
            )
        program = request.path.startswith(API_PREFIXES) or _wants_json(request)
        if isinstance(exc, errors.SealsteadError):
            if program:
                return refusal(request, exc)
            if isinstance(exc, errors.NotFoundError):
                raise Http404(exc.message) from exc
            if isinstance(exc, errors.DeniedError):
                raise PermissionDenied(exc.message) from exc
            return refusal(request, exc)
        if program and not isinstance(exc, Http404 | PermissionDenied):
            _log.exception("unexpected error", path=request.path, exc_info=exc)
            return internal_error(request)
        return None


def internal_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected failure: the request id is what an operator needs to find the rest in the log."""
    request_id = getattr(getattr(request, "origin", None), "request_id", "")
    phrase = HTTPStatus.INTERNAL_SERVER_ERROR.phrase
    return answer(request, status=500, text=f"{phrase} (request {request_id})", code="internal")


def problem_document(*, status: int, text: str, code: str, about: str = "about:blank") -> dict[str, Any]:
    """Return one refusal as RFC 9457, section 3, has it; `code` is our extension, stable across versions."""
    return {
        "type": about,
        # The same for every occurrence of a code (RFC 9457, section 3.1.3); the facts are the detail.
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": text,
        "code": code,
    }


def _wants_json(request: HttpRequest) -> bool:
    # `accepts` alone would be true for `*/*`, which twine and curl send.
    accept = request.headers.get("Accept", "")
    return any(
        part.partition(";")[0].strip().lower() in {"application/json", "application/problem+json"}
        for part in accept.split(",")
    )


def _reason(text: str) -> str:
    """Make `text` safe in a status line: printable, latin-1, bounded."""
    line = "".join(c if c.isprintable() else "?" for c in text)
    if len(line) > _REASON_LIMIT:
        line = line[: _REASON_LIMIT - 3] + "..."
    return line.encode("latin-1", "replace").decode("latin-1")
