"""`/help/`: how to publish and install, with settings to paste that name this server.

Refusals link to sections of this page, so an anchor, once published, stays. `ANCHORS` lists them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sealstead.server.site.address import server_address

ANCHORS = (
    "start",
    "install",
    "apitoken",
    "twine",
    "pypirc",
    "uv",
    "keyring",
    "ci",
    "github-actions",
    "gitlab-ci",
    "token-rotation",
    "token-leaked",
    "invalid-auth",
    "token-scope",
    "token-expired",
    "project-name",
    "new-project",
    "project-state",
    "file-name-reuse",
    "file-checks",
    "file-size",
    "release-age",
    "verified-email",
    "account",
    "trusted-publishers",
)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    address = server_address(request)
    parts = urlsplit(address)
    context = {
        "address": address,
        "upload_url": f"{address}/legacy/",
        "simple_url": f"{address}/simple/",
        "host": parts.netloc,
        "plain_http": parts.scheme == "http",
    }
    return render(request, "site/help.html", context)
