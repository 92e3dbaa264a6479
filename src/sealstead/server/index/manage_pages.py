"""The pages on which members look after a project. Each view translates in, calls one verb, translates out.

A project the visitor is no member of answers like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from packaging.utils import canonicalize_name

from sealstead.errors import SealsteadError
from sealstead.server.accounts.limits import hit
from sealstead.server.accounts.models import User
from sealstead.server.accounts.reauth import ask_again, recent_auth_required, recently_authenticated
from sealstead.server.audit.models import Event
from sealstead.server.audit.pages import show_events
from sealstead.server.index import members as membership
from sealstead.server.index.member_texts import error_text
from sealstead.server.index.models import Invitation, Project, ProjectState, Release, Role, RoleName
from sealstead.server.index.permissions import Permission, allows, role_of

RELEASES_PER_PAGE = 50
INVITATIONS_PER_HOUR = 50
"""An account's, over all its projects."""


def signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):  # login_required has run: this cannot happen
        raise Http404
    return request.user


def act_of(request: HttpRequest) -> membership.Act:
    return membership.Act(
        actor=signed_in(request),
        at=settings.SEALSTEAD.clock.now(),
        origin=request.origin,  # type: ignore[attr-defined]
    )


def find_project(request: HttpRequest, name: str) -> Project:
    """Return the project if the visitor is a member (administrators see all)."""
    user = signed_in(request)
    project = Project.objects.filter(normalized_name=canonicalize_name(name), deleted_at__isnull=True).first()
    if project is None or (role_of(user, project) is None and not user.is_superuser):
        raise Http404
    return project


def need(request: HttpRequest, project: Project, permission: Permission) -> None:
    if not allows(signed_in(request), project, permission):
        raise Http404


def attempt(request: HttpRequest, done: str, verb: Callable[[], object]) -> bool:
    """Call `verb`; tell the visitor how it went on the next page."""
    try:
        verb()
    except SealsteadError as exc:
        messages.error(request, error_text(exc))
        return False
    messages.success(request, done)
    return True


def page(request: HttpRequest, template: str, project: Project, tab: str, **context: object) -> HttpResponse:
    return render(request, f"index/manage/{template}.html", {**frame(request, project, tab), **context})


def frame(request: HttpRequest, project: Project, tab: str) -> dict[str, object]:
    """What every page of a project shows around its own content."""
    user = signed_in(request)
    may = {permission.name.lower(): allows(user, project, permission) for permission in Permission}
    return {"project": project, "tab": tab, "may": may, "ProjectState": ProjectState}


@login_required
@require_GET
def projects(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    live = Count("project__releases", filter=Q(project__releases__deleted_at__isnull=True))
    roles = (
        Role.objects.filter(user=user, project__deleted_at__isnull=True)
        .select_related("project")
        .annotate(release_count=live)
        .order_by("project__normalized_name")
    )
    invitations = Invitation.objects.filter(
        user=user, expires_at__gt=settings.SEALSTEAD.clock.now(), project__deleted_at__isnull=True
    ).select_related("project", "invited_by")
    return render(
        request,
        "index/manage/projects.html",
        {"roles": Paginator(roles, 100).get_page(request.GET.get("page")), "invitations": invitations},
    )


@login_required
@require_GET
def releases(request: HttpRequest, name: str) -> HttpResponse:
    project = find_project(request, name)
    rows = (
        Release.objects.filter(project=project, deleted_at__isnull=True)
        .annotate(file_count=Count("files", filter=Q(files__deleted_at__isnull=True)))
        .order_by("-created_at", "-pk")
    )
    return page(
        request,
        "releases",
        project,
        "releases",
        releases=Paginator(rows, RELEASES_PER_PAGE).get_page(request.GET.get("page")),
    )


@login_required
@require_GET
def members(request: HttpRequest, name: str) -> HttpResponse:
    project = find_project(request, name)
    owners = Role.objects.filter(project=project, role=RoleName.OWNER, user__is_active=True)
    active = list(owners.values_list("pk", flat=True)[:2])
    return page(
        request,
        "members",
        project,
        "members",
        roles=Role.objects.filter(project=project).select_related("user").order_by("role", "user__username"),
        invitations=Invitation.objects.filter(
            project=project, expires_at__gt=settings.SEALSTEAD.clock.now()
        ).select_related("user"),
        role_choices=_role_choices(),
        last_owner=active[0] if len(active) == 1 else None,
    )


def _role_choices() -> list[tuple[str, str]]:
    return [(RoleName.MAINTAINER.value, _("Maintainer")), (RoleName.OWNER.value, _("Owner"))]


def _role_of_form(request: HttpRequest) -> RoleName:
    try:
        return RoleName(request.POST.get("role", ""))
    except ValueError:
        raise Http404 from None


@login_required
@require_POST
def invite(request: HttpRequest, name: str) -> HttpResponseRedirect:
    project = find_project(request, name)
    if not recently_authenticated(request):
        return ask_again(request, back_to=reverse("manage-members", args=[project.normalized_name]))
    username, role = request.POST.get("username", "").strip()[:150], _role_of_form(request)
    # Each is a mail to somebody who has not asked for it, and the answer tells whether there is such an account.
    hit(
        f"invite:{signed_in(request).pk}", INVITATIONS_PER_HOUR, timedelta(hours=1), act_of(request).at
    ).require()
    attempt(
        request,
        _("%(user)s has been invited.") % {"user": username},
        lambda: membership.invite(project, username, role, act_of(request)),
    )
    return redirect("manage-members", name=project.normalized_name)


@login_required
@require_POST
def withdraw(request: HttpRequest, name: str, invitation: UUID) -> HttpResponseRedirect:
    project = find_project(request, name)
    attempt(
        request,
        _("The invitation has been withdrawn."),
        lambda: membership.withdraw(invitation, project, act_of(request)),
    )
    return redirect("manage-members", name=project.normalized_name)


@login_required
@require_POST
def change_role(request: HttpRequest, name: str, user_id: UUID) -> HttpResponseRedirect:
    project = find_project(request, name)
    if not recently_authenticated(request):
        return ask_again(request, back_to=reverse("manage-members", args=[project.normalized_name]))
    role = _role_of_form(request)
    attempt(
        request,
        _("The role has been changed."),
        lambda: membership.change_role(project, user_id, role, act_of(request)),
    )
    return redirect("manage-members", name=project.normalized_name)


@login_required
@recent_auth_required
@require_http_methods(["GET", "POST"])
def remove_member(request: HttpRequest, name: str, user_id: UUID) -> HttpResponse:
    """Remove somebody, or leave when it is oneself."""
    project = find_project(request, name)
    role = Role.objects.filter(project=project, user_id=user_id).select_related("user").first()
    if role is None:
        raise Http404
    leaving = role.user == signed_in(request)
    if not leaving:
        need(request, project, Permission.MANAGE_MEMBERS)
    if request.method == "GET":
        return page(request, "confirm_member", project, "members", role=role, leaving=leaving)
    done = (
        _("You have left %(project)s.") % {"project": project.name}
        if leaving
        else _("%(user)s is no longer a member.") % {"user": role.user.username}
    )
    gone = attempt(
        request,
        done,
        lambda: (
            membership.leave(project, act_of(request))
            if leaving
            else membership.remove(project, user_id, act_of(request))
        ),
    )
    if leaving and gone:
        return redirect("manage-projects")
    return redirect("manage-members", name=project.normalized_name)


@login_required
@require_POST
def answer_invitation(request: HttpRequest, invitation: str) -> HttpResponseRedirect:
    try:
        invitation_id = UUID(invitation)
    except (ValueError, ValidationError):
        raise Http404 from None
    if request.POST.get("answer") == "accept":
        attempt(
            request, _("You are a member now."), lambda: membership.accept(invitation_id, act_of(request))
        )
    else:
        attempt(
            request,
            _("You have declined the invitation."),
            lambda: membership.decline(invitation_id, act_of(request)),
        )
    return redirect("manage-projects")


@login_required
@require_GET
def events(request: HttpRequest, name: str) -> HttpResponseBase:
    project = find_project(request, name)
    need(request, project, Permission.VIEW_EVENTS)
    return show_events(
        request,
        Event.objects.filter(project=project.normalized_name),
        template="index/manage/events.html",
        context=frame(request, project, "events"),
    )
