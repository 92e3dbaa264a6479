"""The first middleware: it settles where a request comes from, before anything else reads it.

Afterwards `REMOTE_ADDR`, scheme and host are what the server believes, every forwarded header is gone (nothing
later can trust one by mistake), `request.origin` holds the facts for audit events, and the response names the
request id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from sealstead.server.audit.record import Origin
from sealstead.server.forwarded import REQUEST_ID_KEY, peer_of, request_id_of

_USER_AGENT = 400
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUEST_ID",
)


def origin_of(request: HttpRequest) -> Origin:
    """Return what the middleware found; an empty origin for a request that never passed it."""
    return cast("Origin", getattr(request, "origin", Origin()))


class OriginMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        peer = peer_of(request.META, settings.SEALSTEAD.trusted_proxies)
        request_id = request_id_of(request.META, peer)
        for name in _FORWARDED:
            request.META.pop(name, None)
        request.META[REQUEST_ID_KEY] = request_id
        request.META["REMOTE_ADDR"] = peer.ip or ""
        if peer.scheme is not None:
            request.META["wsgi.url_scheme"] = peer.scheme
        if peer.host is not None:
            request.META["HTTP_HOST"] = peer.host
        request.origin = Origin(  # type: ignore[attr-defined]
            ip=peer.ip,
            user_agent=printable_agent(request.META.get("HTTP_USER_AGENT", "")),
            request_id=request_id,
        )
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        return response


def printable_agent(text: str) -> str:
    """Return what a client calls itself, fit for a log."""
    return "".join(c if c.isprintable() else "?" for c in text[:_USER_AGENT])
