from __future__ import annotations

import json
import logging

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from sealstead.server.site import csp

TOO_LONG = json.dumps({"csp-report": {"document-uri": "x" * 20_000}}).encode()


def test_every_answer_carries_the_policy() -> None:
    for path in ("/no-such-page", "/static/css/site.css"):
        policy = Client().get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy


def test_a_view_may_set_a_stricter_policy() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
    answer = csp.ContentSecurityPolicyMiddleware(lambda _: own)(RequestFactory().get("/"))
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def _report(body: bytes) -> int:
    return Client().post("/csp-report", data=body, content_type="application/csp-report").status_code


def test_report_is_logged_without_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        body = {"csp-report": {"document-uri": "http://h/p?q=typed", "blocked-uri": "inline\nforged"}}
        assert _report(json.dumps(body).encode()) == 204
    assert "http://h/p" in caplog.text
    assert "typed" not in caplog.text
    assert "inline\\nforged" in caplog.text  # one line, whatever was sent


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"csp-report": 1}', b"\xff", b"x" * 200_000, TOO_LONG])
def test_other_reports_are_dropped(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert _report(body) == 204
    assert "csp-violation" not in caplog.text


def test_report_cannot_be_read() -> None:
    assert Client().get("/csp-report").status_code == 405
