"""Routes of the pages on which members look after a project."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from sealstead.server.index import manage_pages, removal_pages

_PROJECT = "manage/project/<str:name>/"

urlpatterns = [
    path("manage/projects/", manage_pages.projects, name="manage-projects"),
    path("manage/invitation/<str:invitation>/", manage_pages.answer_invitation, name="answer-invitation"),
    path(_PROJECT, RedirectView.as_view(pattern_name="manage-releases")),
    path(_PROJECT + "releases/", manage_pages.releases, name="manage-releases"),
    path(_PROJECT + "release/<str:version>/", removal_pages.release, name="manage-release"),
    path(
        _PROJECT + "release/<str:version>/delete/", removal_pages.delete_release, name="manage-release-delete"
    ),
    path(
        _PROJECT + "release/<str:version>/file/<str:filename>/delete/",
        removal_pages.delete_file,
        name="manage-file-delete",
    ),
    path(_PROJECT + "events/", manage_pages.events, name="manage-events"),
    path(_PROJECT + "members/", manage_pages.members, name="manage-members"),
    path(_PROJECT + "members/invite/", manage_pages.invite, name="manage-invite"),
    path(
        _PROJECT + "members/invitation/<uuid:invitation>/withdraw/",
        manage_pages.withdraw,
        name="manage-withdraw",
    ),
    path(_PROJECT + "members/<uuid:user_id>/role/", manage_pages.change_role, name="manage-role"),
    path(_PROJECT + "members/<uuid:user_id>/remove/", manage_pages.remove_member, name="manage-remove"),
    path(_PROJECT + "settings/", removal_pages.project_settings, name="manage-settings"),
    path(_PROJECT + "settings/state/<str:state>/", removal_pages.change_state, name="manage-state"),
    path(_PROJECT + "settings/delete/", removal_pages.delete_project, name="manage-project-delete"),
]
