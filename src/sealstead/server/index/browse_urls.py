"""Routes of the pages on which people look for projects."""

from __future__ import annotations

from django.urls import path

from sealstead.server.index import browse

urlpatterns = [
    path("", browse.home, name="home"),
    path("search/", browse.search_page, name="search"),
    path("project/<str:name>/", browse.project, name="project"),
    path("project/<str:name>/<str:version>/", browse.project, name="project-version"),
]
