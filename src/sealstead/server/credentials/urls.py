"""Routes of the token pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from sealstead.server.credentials import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("manage/account/token/", pages.add, name="token_add"),
    path("manage/account/token/<uuid:credential_id>/", pages.details, name="token_details"),
    path("manage/account/token/<uuid:credential_id>/rotate/", pages.rotate, name="token_rotate"),
    path("manage/account/token/<uuid:credential_id>/revoke/", pages.revoke_one, name="token_revoke"),
]
