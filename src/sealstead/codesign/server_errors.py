"""What a signing server's refusals mean to the client: one typed error for each thing that the caller can do.

The server's own code and text travel along (RFC 9457); a text is shown as one line, and never holds a key, for the
server never gets to see what it could repeat but the key that it was given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sealstead.errors import (
    ConflictError,
    DeniedError,
    InputError,
    KeyUnavailableError,
    NotFoundError,
    SealsteadError,
    UpstreamError,
)
from sealstead.net.https import HttpsAnswer

_LONGEST_TEXT = 500


class Refusal:
    """What all refusals of a signing server carry, beside their family."""

    server_code: str = ""
    members: Mapping[str, Any] = {}
    """The whole problem document, for members such as `successor`."""


class ApiKeyRefusedError(Refusal, KeyUnavailableError):
    """The server does not accept the API key: unknown, revoked, expired, disabled or retired."""

    code = "api-key-refused"


class ApiKeyNotAllowedError(Refusal, DeniedError):
    """The API key is good, and may not do this: its role, labels or networks do not cover it."""

    code = "api-key-not-allowed"


class ServerNotFoundError(Refusal, NotFoundError):
    """The server has nothing of that name for this key."""

    code = "server-not-found"


class ServerConflictError(Refusal, ConflictError):
    """The state at the server is another than the request assumes."""

    code = "server-conflict"


class ServerBusyError(Refusal, UpstreamError):
    """The server wants to be asked later."""

    code = "server-busy"


class RequestRejectedError(Refusal, InputError):
    """The server finds a fault in what was asked."""

    code = "request-rejected"


class ServerFailedError(Refusal, UpstreamError):
    """The server failed."""

    code = "server-failed"


class NotASigningServerError(UpstreamError):
    """What answers there is no signing server, or one of another version."""

    code = "not-a-signing-server"


_BY_STATUS: Mapping[int, type[SealsteadError]] = {
    401: ApiKeyRefusedError,
    403: ApiKeyNotAllowedError,
    404: ServerNotFoundError,
    409: ServerConflictError,
    413: RequestRejectedError,
    429: ServerBusyError,
}

_HINTS: Mapping[type[SealsteadError], str] = {
    ApiKeyRefusedError: "make a new key on the server's page of API keys and store it with `auth set-key`",
    ServerBusyError: "wait, then run it again",
    ServerFailedError: "run it again later; the server's log names the cause",
}


def refusal(url: str, answer: HttpsAnswer) -> SealsteadError:
    """Return the error that `answer` means."""
    problem = _problem(answer)
    if problem is None:
        if answer.status >= 500:  # noqa: PLR2004 - RFC 9110, section 15.6
            return _made(ServerFailedError, f"{url} failed (status {answer.status})", {})
        return not_a_signing_server(url, f"status {answer.status}")
    cls = _BY_STATUS.get(answer.status)
    if cls is None:
        cls = ServerFailedError if answer.status >= 500 else RequestRejectedError  # noqa: PLR2004
    detail = problem.get("detail") or problem.get("title")
    text = " ".join(detail.split())[:_LONGEST_TEXT] if isinstance(detail, str) else ""
    text = text.rstrip(".") or f"status {answer.status}"
    if cls is ServerBusyError and (wait := answer.retry_after()) is not None:
        text += f"; it wants to be asked again in {wait:g} seconds"
    return _made(cls, f"the server refuses: {text[:1].lower()}{text[1:]}", problem)


def not_a_signing_server(url: str, fact: str) -> NotASigningServerError:
    return NotASigningServerError(
        f"{url} does not answer as a signing server does: {fact}",
        hint="check the address; it is that of the web pages, without a path",
    )


def _made(cls: type[SealsteadError], message: str, problem: Mapping[str, Any]) -> SealsteadError:
    hint = problem.get("hint")
    exc = cls(message, hint=hint if isinstance(hint, str) else _HINTS.get(cls))
    assert isinstance(exc, Refusal)  # noqa: S101 - each class of the tables is one
    code = problem.get("code")
    exc.server_code = code if isinstance(code, str) else ""
    exc.members = problem
    return exc


def _problem(answer: HttpsAnswer) -> Mapping[str, Any] | None:
    if answer.fields.get("content-type", "").partition(";")[0].strip().lower() != "application/problem+json":
        return None
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
