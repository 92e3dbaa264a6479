"""The pages that yank, delete, archive. What cannot be taken back asks for the name to be typed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from sealstead.server.accounts.reauth import recent_auth_required
from sealstead.server.index import removal, states
from sealstead.server.index.manage_pages import act_of, attempt, find_project, need, page, signed_in
from sealstead.server.index.models import File, Project, ProjectState, Release
from sealstead.server.index.permissions import Permission


def _release(project: Project, version: str) -> Release:
    release = Release.objects.filter(project=project, version=version, deleted_at__isnull=True).first()
    if release is None:
        raise Http404
    return release


def _files(release: Release) -> QuerySet[File]:
    return File.objects.filter(release=release, deleted_at__isnull=True).order_by("filename")


@login_required
@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """One release: its files; yank and unyank, which can be taken back, are forms on the page."""
    project = find_project(request, name)
    row = _release(project, version)
    if request.method == "GET":
        return page(request, "release", project, "releases", release=row, files=_files(row))
    if request.POST.get("do") == "unyank":
        done = _("%(version)s is no longer yanked.") % {"version": row.version}
        attempt(request, done, lambda: removal.unyank(project, version, act_of(request)))
    else:
        done = _("%(version)s has been yanked.") % {"version": row.version}
        reason = request.POST.get("reason", "")
        attempt(request, done, lambda: removal.yank(project, version, act_of(request), reason=reason))
    return redirect("manage-release", name=project.normalized_name, version=row.version)


def _typed(request: HttpRequest, expected: str) -> bool:
    if request.POST.get("confirm", "").strip() == expected:
        return True
    messages.error(request, _("Nothing was deleted: what you typed does not match."))
    return False


@login_required
@recent_auth_required
@require_http_methods(["GET", "POST"])
def delete_release(request: HttpRequest, name: str, version: str) -> HttpResponse:
    project = find_project(request, name)
    need(request, project, Permission.DELETE)
    row = _release(project, version)
    if request.method == "GET":
        return page(
            request,
            "confirm_delete",
            project,
            "releases",
            release=row,
            files=_files(row),
            expected=row.version,
        )
    if not _typed(request, row.version):
        return redirect("manage-release-delete", name=project.normalized_name, version=row.version)
    done = _("%(version)s has been deleted.") % {"version": row.version}
    attempt(request, done, lambda: removal.delete_release(project, version, act_of(request)))
    return redirect("manage-releases", name=project.normalized_name)


@login_required
@recent_auth_required
@require_http_methods(["GET", "POST"])
def delete_file(request: HttpRequest, name: str, version: str, filename: str) -> HttpResponse:
    project = find_project(request, name)
    need(request, project, Permission.DELETE)
    row = _release(project, version)
    file = _files(row).filter(filename=filename).first()
    if file is None:
        raise Http404
    if request.method == "GET":
        return page(
            request, "confirm_delete", project, "releases", release=row, file=file, expected=project.name
        )
    if not _typed(request, project.name):
        return redirect(request.path)
    done = _("%(file)s has been deleted.") % {"file": file.filename}
    attempt(request, done, lambda: removal.delete_file(project, filename, act_of(request)))
    return redirect("manage-release", name=project.normalized_name, version=row.version)


@login_required
@require_GET
def project_settings(request: HttpRequest, name: str) -> HttpResponse:
    return page(request, "settings", find_project(request, name), "settings")


@login_required
@recent_auth_required
@require_http_methods(["GET", "POST"])
def change_state(request: HttpRequest, name: str, state: str) -> HttpResponse:
    project = find_project(request, name)
    if state not in ProjectState.values:
        raise Http404
    quarantine = ProjectState.QUARANTINED in {state, project.state}
    if not quarantine:
        need(request, project, Permission.CHANGE_STATE)
    elif not signed_in(request).is_superuser:
        raise Http404
    if request.method == "GET":
        return page(request, "confirm_state", project, "settings", state=state)
    attempt(
        request,
        _("The state of %(project)s has been changed.") % {"project": project.name},
        lambda: states.change_state(
            project, ProjectState(state), act_of(request), reason=request.POST.get("reason", "")
        ),
    )
    return redirect("manage-settings", name=project.normalized_name)


@login_required
@recent_auth_required
@require_http_methods(["GET", "POST"])
def delete_project(request: HttpRequest, name: str) -> HttpResponse | HttpResponseRedirect:
    project = find_project(request, name)
    need(request, project, Permission.DELETE)
    if request.method == "GET":
        return page(request, "confirm_delete", project, "settings", expected=project.name)
    if not _typed(request, project.name):
        return redirect("manage-project-delete", name=project.normalized_name)
    done = _("%(project)s has been deleted.") % {"project": project.name}
    attempt(request, done, lambda: removal.delete_project(project, act_of(request)))
    return redirect("manage-projects")
