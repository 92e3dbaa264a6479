"""The pages of API keys, beside those that all kinds share (`pages.py`): add, regenerate, disable, enable; and, for
all kinds, delete and clean up.

Each view translates in, calls one verb, translates out. All of them ask for a recent proof of who is there.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from sealstead.errors import ConflictError, SealsteadError
from sealstead.secret import Secret
from sealstead.server.accounts.reauth import recent_auth_required
from sealstead.server.audit.origin import origin_of
from sealstead.server.credentials.change import clean_up, count_ended, regenerate, remove, set_enabled
from sealstead.server.credentials.forms import ExpiryForm
from sealstead.server.credentials.issue_key import issue_api_key
from sealstead.server.credentials.key_forms import AddKeyForm, CleanUpForm
from sealstead.server.credentials.key_scope import Role
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.policy import current_policy, default_life
from sealstead.server.credentials.section import shown
from sealstead.server.credentials.states import is_living
from sealstead.server.credentials.texts import error_text
from sealstead.server.credentials.views import now, own, own_key, the_user

BACK = "#api-tokens"


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_key(request: HttpRequest) -> HttpResponse:
    user, at, policy = the_user(request), now(), current_policy()
    if request.method != "POST":
        initial = {"expiry": str(default_life().days), "roles": [Role.STANDARD.value]}
        form = AddKeyForm(policy=policy, at=at, initial=initial)
        return render(request, "credentials/key_add.html", {"form": form})
    form = AddKeyForm(request.POST, policy=policy, at=at)
    if not form.is_valid():
        return render(request, "credentials/key_add.html", {"form": form}, status=400)
    try:
        row, key = issue_api_key(
            owner=user,
            name=form.cleaned_data["name"],
            scope=form.scope(),
            expires_at=form.expires_at(),
            at=at,
            origin=origin_of(request),
        )
    except SealsteadError as exc:
        text = _("You have a key of this name.") if exc.code == "token-name-in-use" else error_text(exc)
        form.add_error("expiry" if exc.code == "lifetime-refused" else "name", text)
        status = 409 if isinstance(exc, ConflictError) else 400
        return render(request, "credentials/key_add.html", {"form": form}, status=status)
    return key_result(request, row, key)


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def regenerate_key(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user, at, policy = the_user(request), now(), current_policy()
    row = own_key(user, credential_id)
    context = {"token": shown(row, at), "possible": row.revoked_at is None}
    if request.method != "POST":
        form = ExpiryForm(policy=policy, at=at, initial={"expiry": str(default_life().days)})
        return render(request, "credentials/key_regenerate.html", {**context, "form": form})
    form = ExpiryForm(request.POST, policy=policy, at=at)
    status = 400
    if form.is_valid():
        try:
            new, key = regenerate(
                row, expires_at=form.expires_at(), actor=user, at=at, origin=origin_of(request)
            )
            return key_result(request, new, key)
        except SealsteadError as exc:
            form.add_error("expiry" if exc.code == "lifetime-refused" else None, error_text(exc))
            status = 409 if isinstance(exc, ConflictError) else 400
    return render(request, "credentials/key_regenerate.html", {**context, "form": form}, status=status)


@recent_auth_required
@require_POST
def switch_key(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user = the_user(request)
    row = own_key(user, credential_id)
    enabled = request.POST.get("enabled") == "yes"
    try:
        set_enabled(row, enabled, actor=user, at=now(), origin=origin_of(request))
    except SealsteadError as exc:
        messages.error(request, error_text(exc))
    else:
        text = (
            _("The API key “%(name)s” is accepted again.")
            if enabled
            else _("The API key “%(name)s” is refused until you enable it again.")
        )
        messages.success(request, text % {"name": row.name})
    return HttpResponseRedirect(reverse("token_details", args=[row.pk]))


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user, at = the_user(request), now()
    row = own(user, credential_id)
    if request.method != "POST":
        successor = row.successors.filter(revoked_at=None, removed_at=None).first()
        context = {
            "token": shown(row, at),
            "successor": shown(successor, at) if successor and is_living(successor, at) else None,
        }
        return render(request, "credentials/delete.html", context)
    remove(row, actor=user, at=at, origin=origin_of(request))
    messages.success(request, _("“%(name)s” is deleted.") % {"name": row.name})
    return HttpResponseRedirect(reverse("manage_account") + BACK)


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def clean_up_ended(request: HttpRequest) -> HttpResponse:
    user, at = the_user(request), now()
    counts = count_ended(user, at)
    form = CleanUpForm(request.POST if request.method == "POST" else None, counts=counts)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "total": sum(counts.values())}
        status = 400 if request.method == "POST" else 200
        return render(request, "credentials/clean_up.html", context, status=status)
    done = sum(clean_up(user, form.picked(), actor=user, at=at, origin=origin_of(request)).values())
    messages.success(
        request, ngettext("%(count)d is deleted.", "%(count)d are deleted.", done) % {"count": done}
    )
    return HttpResponseRedirect(reverse("manage_account") + BACK)


@sensitive_variables("key")
def key_result(
    request: HttpRequest, row: Credential, key: Secret[str], *, predecessor: Credential | None = None
) -> HttpResponse:
    return render(
        request,
        "credentials/key_result.html",
        {
            "token": shown(row, now()),
            "text": key.reveal(),
            "server_url": settings.SEALSTEAD.public_url,
            "signs": Role.STANDARD in row.scope["roles"],
            "rotates": Role.API_KEY_ROTATOR in row.scope["roles"],
            "predecessor": predecessor,
        },
    )
