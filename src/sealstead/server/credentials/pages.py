"""The token pages under `/manage/account/token/`. Each view translates in, calls one verb, translates out.

All of them ask for a recent proof of who is there. A token that is somebody else's answers like one that
does not exist. The page that shows a token is the answer to the POST itself, so that nothing keeps the text
for a second look; no cache may.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from sealstead.errors import ConflictError, SealsteadError
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.accounts.reauth import recent_auth_required
from sealstead.server.audit.labels import LABELS, shown_details, shown_program, shown_reason
from sealstead.server.audit.models import Event
from sealstead.server.audit.origin import origin_of
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.forms import AddTokenForm, RotateForm
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.key_pages import key_result
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.policy import current_policy, default_life, default_overlap
from sealstead.server.credentials.projects import ProjectRef, project_directory
from sealstead.server.credentials.revoke import ended_with, revoke
from sealstead.server.credentials.rotate import rotate_upload_token
from sealstead.server.credentials.rotate_key import rotate_api_key_for
from sealstead.server.credentials.section import shown
from sealstead.server.credentials.states import is_living
from sealstead.server.credentials.texts import error_text
from sealstead.server.credentials.views import now, own, the_user

EVENTS_SHOWN = 50
ADDRESSES_SHOWN = 100


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    user, at = the_user(request), now()
    if not EmailAddress.objects.filter(user=user, primary=True, verified=True).exists():
        return render(
            request, "credentials/verify_email.html", status=403 if request.method == "POST" else 200
        )
    projects = project_directory().uploadable_by(user)
    policy = current_policy()
    if request.method != "POST":
        form = AddTokenForm(projects=projects, policy=policy, at=at, initial=_preselected(request, projects))
        return _add_page(request, form)
    form = AddTokenForm(request.POST, projects=projects, policy=policy, at=at)
    if not form.is_valid():
        return _add_page(request, form, status=400)
    try:
        row, token = _issue(form, user, projects, at, origin_of(request))
    except SealsteadError as exc:
        form.add_error(_field_of(exc), error_text(exc))
        return _add_page(request, form, status=409 if isinstance(exc, ConflictError) else 400)
    return _result(request, row, token, rotated=False)


@never_cache
@recent_auth_required
@require_GET
def details(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user, at = the_user(request), now()
    row = own(user, credential_id)
    events = Event.objects.filter(credential_id=row.pk, user_id=user.pk).order_by("-id")[:EVENTS_SHOWN]
    return render(
        request,
        "credentials/details.html",
        {
            "token": shown(row, at, all_projects=True),
            "predecessor": shown(row.predecessor, at) if row.predecessor else None,
            "successors": [
                shown(link, at) for link in row.successors.filter(removed_at=None).order_by("created_at")
            ],
            "events": [
                {
                    "row": event,
                    "label": LABELS.get(event.tag, event.tag),
                    "reason": shown_reason(event),
                    "details": shown_details(event.details),
                    "program": shown_program(event.user_agent),
                }
                for event in events
            ],
            "last_program": shown_program(row.last_used_agent),
            "uses": row.address_uses.order_by("-last_at", "address")[:ADDRESSES_SHOWN],
            "old_uses": (
                row.predecessor.address_uses.order_by("-last_at", "address")[:ADDRESSES_SHOWN]
                if row.predecessor
                else []
            ),
        },
    )


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user, at = the_user(request), now()
    row = own(user, credential_id)
    is_key = row.kind == Kind.API_KEY
    policy = current_policy()
    initial = {"overlap": default_overlap().days, "idempotency_key": secrets.token_urlsafe(24)}
    if request.method != "POST":
        form = RotateForm(policy=policy, initial=initial)
        return _rotate_page(request, row, form, at)
    form = RotateForm(request.POST, policy=policy)
    if not form.is_valid():
        return _rotate_page(request, row, form, at, status=400)
    try:
        successor, token = (rotate_api_key_for if is_key else rotate_upload_token)(
            row,
            actor=user,
            overlap=timedelta(days=form.cleaned_data["overlap"]),
            idempotency_key=form.cleaned_data["idempotency_key"],
            at=at,
            origin=origin_of(request),
        )
    except SealsteadError as exc:
        form.add_error(None, error_text(exc))
        return _rotate_page(request, row, form, at, status=409 if isinstance(exc, ConflictError) else 400)
    row.refresh_from_db()
    if is_key:
        return key_result(request, successor, token, predecessor=row)
    return _result(request, successor, token, rotated=True, predecessor=row)


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_one(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user, at = the_user(request), now()
    row = own(user, credential_id)
    if request.method != "POST":
        also = [shown(link, at) for link in ended_with(row)[1:] if is_living(link, at)]
        return render(request, "credentials/revoke.html", {"token": shown(row, at), "also": also})
    try:
        ended = revoke(
            row,
            actor=user,
            at=at,
            origin=origin_of(request),
            only_this=request.POST.get("only_this") == "yes",
        )
    except SealsteadError as exc:
        messages.error(request, error_text(exc))
    else:
        messages.success(
            request,
            _("“%(name)s” is revoked.") % {"name": row.name}
            if len(ended) == 1
            else _("“%(name)s” and those made from it are revoked.") % {"name": row.name},
        )
    return HttpResponseRedirect(reverse("manage_account") + "#api-tokens")


@sensitive_variables("token")
def _result(
    request: HttpRequest,
    row: Credential,
    token: Secret[str],
    *,
    rotated: bool,
    predecessor: Credential | None = None,
) -> HttpResponse:
    return render(
        request,
        "credentials/result.html",
        {
            "token": shown(row, now(), all_projects=True),
            "text": token.reveal(),
            "upload_url": settings.SEALSTEAD.public_url + "/legacy/",
            "rotated": rotated,
            "predecessor": predecessor,
        },
    )


@transaction.atomic
def _issue(
    form: AddTokenForm, user: User, projects: Sequence[ProjectRef], at: datetime, origin: Origin
) -> tuple[Credential, Secret[str]]:
    """Reserve the new project, if one was named, and make the token: both or neither."""
    data = form.cleaned_data
    chosen: list[tuple[str, UUID]] | None = None
    if data["scope"] == "projects":
        by_name = {one.normalized_name: one for one in projects}
        chosen = [(name, by_name[name].id) for name in data["projects"]]
        if data["new_project"]:
            born = project_directory().reserve(data["new_project"], owner=user, at=at, origin=origin)
            chosen.append((born.normalized_name, born.id))
    return issue_upload_token(
        owner=user,
        name=data["name"],
        projects=chosen,
        expires_at=form.expires_at(),
        at=at,
        origin=origin,
    )


def _preselected(request: HttpRequest, projects: Sequence[ProjectRef]) -> dict[str, Any]:
    initial: dict[str, Any] = {"expiry": str(default_life().days)}
    wanted = request.GET.get("selected_project", "").lower()
    if any(one.normalized_name == wanted for one in projects):
        initial |= {"scope": "projects", "projects": [wanted]}
    return initial


def _add_page(request: HttpRequest, form: AddTokenForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "many_projects": len(form["projects"]) > 12}  # noqa: PLR2004 - then the list scrolls
    return render(request, "credentials/add.html", context, status=status)


def _rotate_page(
    request: HttpRequest, row: Credential, form: RotateForm, at: datetime, *, status: int = 200
) -> HttpResponse:
    return render(request, "credentials/rotate.html", {"token": shown(row, at), "form": form}, status=status)


def _field_of(exc: SealsteadError) -> str | None:
    return {
        "invalid-token-name": "name",
        "token-name-in-use": "name",
        "invalid-token-scope": "scope",
        "too-many-projects": "scope",
        "lifetime-refused": "expiry",
    }.get(exc.code, "new_project")
