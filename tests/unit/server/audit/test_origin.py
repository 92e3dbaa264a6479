from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from sealstead.server.audit.origin import OriginMiddleware, origin_of
from sealstead.server.audit.record import Origin

FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "localhost",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "X-Request-ID": "forged-request-id",
}


def pass_through(**headers: Any) -> tuple[HttpRequest, Any]:
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
    response = OriginMiddleware(view)(request)
    return seen[0], response


def test_forged_headers_change_nothing_and_go_no_further() -> None:
    request, response = pass_through(**FORGED, **{"User-Agent": "twine/7\x07"})
    origin = origin_of(request)
    assert (origin.ip, origin.user_agent) == ("10.0.0.1", "twine/7?")
    assert not request.is_secure()
    assert request.get_host() == "testserver"
    assert not [name for name in FORGED if name in request.headers]
    assert response["X-Request-ID"] == origin.request_id != "forged-request-id"


def test_a_trusted_proxy_is_believed(settings: Any) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, trusted_proxies=(ip_network("10.0.0.0/8"),))
    request, response = pass_through(**FORGED)
    assert origin_of(request).ip == request.META["REMOTE_ADDR"] == "6.6.6.6"
    assert request.is_secure()
    assert request.get_host() == "localhost"
    assert response["X-Request-ID"] == "forged-request-id"
    assert "X-Forwarded-For" not in request.headers


def test_a_request_that_never_passed_has_an_empty_origin() -> None:
    assert origin_of(RequestFactory().get("/")) == Origin()


@pytest.mark.parametrize("length", [399, 400, 5000])
def test_a_user_agent_is_bounded(length: int) -> None:
    request, _ = pass_through(**{"User-Agent": "x" * length})
    assert len(origin_of(request).user_agent) == min(length, 400)
