"""The map of the server: each app brings its own routes."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sealstead.server.audit.urls")),
    path("", include("sealstead.server.accounts.urls")),
    path("", include("sealstead.server.credentials.urls")),
    path("", include("sealstead.server.signing.urls")),
    path("", include("sealstead.server.site.urls")),
    path("", include("sealstead.server.index.browse_urls")),
    path("", include("sealstead.server.index.manage_urls")),
    path("", include("sealstead.server.index.upload_urls")),
]
