"""Routes of accounts. Each of allauth's is named here, so that an upgrade of allauth exposes nothing new."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from sealstead.server.accounts import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.urls")),
    path("manage/account/", pages.account, name="manage_account"),
]
