"""Addresses of the page that shows people their events."""

from __future__ import annotations

from django.urls import path

from sealstead.server.audit import pages

urlpatterns = [path("manage/account/events/", pages.own_events, name="account-events")]
