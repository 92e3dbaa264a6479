"""Routes of the upload protocol."""

from __future__ import annotations

from django.urls import path

from sealstead.server.index import upload_api

urlpatterns = [
    path("legacy/", upload_api.legacy_upload, name="legacy-upload"),
    path("legacy", upload_api.legacy_redirect),
]
