"""Content Security Policy: nothing inline, nothing from elsewhere (CSP Level 3).

A view that needs another policy (a file download, say) sets the header itself; the middleware leaves it alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

REPORT_PATH = "/csp-report"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        f"report-uri {REPORT_PATH}",
    )
)
_MAX_REPORT_BYTES = 16 * 1024
_MAX_FIELD = 200
_log = logging.getLogger(__name__)


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log what a browser blocked: bounded, without query strings, which may hold what a person typed."""
    report: Any = None
    if len(request.META.get("CONTENT_LENGTH") or "") < 6:  # noqa: PLR2004 - at most 99,999; bounded exactly below
        raw = request.read(_MAX_REPORT_BYTES)
        try:
            report = json.loads(raw)
        except ValueError:
            report = None
    body = report.get("csp-report") if isinstance(report, dict) else None
    if isinstance(body, dict):
        facts = {
            name: str(body.get(name, "")).split("?", 1)[0][:_MAX_FIELD]
            for name in ("document-uri", "blocked-uri", "effective-directive", "violated-directive")
        }
        _log.warning("csp-violation %s", json.dumps(facts))
    return HttpResponse(status=204)
