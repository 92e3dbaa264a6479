"""Routes of the pages that belong to no app."""

from __future__ import annotations

from django.urls import path

from sealstead.server.site import assets, csp, language

urlpatterns = [
    path("static/<path:path>", assets.serve_asset, name="static"),
    path("language/", language.choose_language, name="language"),
    path(csp.REPORT_PATH.removeprefix("/"), csp.csp_report, name="csp-report"),
]
