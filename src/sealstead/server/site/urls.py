"""Routes of the pages that belong to no app."""

from __future__ import annotations

from django.urls import path

from sealstead.server.site import assets, csp, help_page, language, security

urlpatterns = [
    path("static/<path:path>", assets.serve_asset, name="static"),
    path("help/", help_page.help_page, name="help"),
    path("security/", security.security_page, name="security"),
    path(security.PATH, security.security_txt_file, name="security-txt"),
    path("language/", language.choose_language, name="language"),
    path(csp.REPORT_PATH.removeprefix("/"), csp.csp_report, name="csp-report"),
]
