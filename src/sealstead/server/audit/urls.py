"""Addresses of the pages that show events."""

from __future__ import annotations

from django.urls import path

from sealstead.server.audit import pages

urlpatterns = [
    path("manage/account/events/", pages.own_events, name="account-events"),
    path("manage/server/events/", pages.all_events, name="server-events"),
]
