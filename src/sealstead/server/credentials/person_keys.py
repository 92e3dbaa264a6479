"""The keys and tokens of one account, on the page on which administrators see it: looked at and revoked, never read.

What was revoked or has expired stays on the list, for who asks what happened; so does what its owner has deleted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sealstead.server.accounts.administrators import act_of, administrators_only
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.revoke_many import revoke_many
from sealstead.server.credentials.scope import project_names
from sealstead.server.credentials.section import in_use
from sealstead.server.credentials.states import is_living, standing_of
from sealstead.server.credentials.texts import KINDS, STATES

PER_PAGE = 50
PROJECTS_SHOWN = 3
LISTED = 100
"""On the page that asks; as many can be picked, for a page of the list has fewer."""
MAX_REASON = 200


def keys_context(request: HttpRequest, user: User) -> dict[str, Any]:
    at = now()
    # All of them: unlike the owner's list, this one also holds what the owner has deleted.
    rows = Credential.objects.filter(owner=user).order_by("-created_at", "pk")
    living = rows.filter(in_use(at))
    ended = request.GET.get("keys") == "ended"
    page = Paginator(rows.exclude(in_use(at)) if ended else living, PER_PAGE).get_page(
        request.GET.get("keys_page")
    )
    return {
        "person": user,
        "page": page,
        "rows": [_shown(row) for row in page],
        "ended": ended,
        "living_count": living.count(),
        "ended_count": rows.count() - living.count(),
    }


@never_cache
@administrators_only
@require_POST
def revoke_keys(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Ask once more, with the list of what would end; with `confirmed`, end it."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise Http404
    act = act_of(request)
    back = reverse("server-user", args=[user.pk]) + "#keys"
    everything = request.POST.get("which") == "all"
    living = Credential.objects.filter(owner=user).filter(in_use(act.at)).order_by("-created_at", "pk")
    rows = list(living if everything else _picked(request, living))
    if not rows:
        messages.warning(request, _("Nothing was picked: nothing is revoked."))
        return HttpResponseRedirect(back)
    if request.POST.get("confirmed") != "yes":
        context = {
            "person": user,
            "everything": everything,
            "rows": [_shown(row) for row in rows[:LISTED]],
            "more": max(len(rows) - LISTED, 0),
            "max_reason": MAX_REASON,
        }
        return render(request, "credentials/revoke_many.html", context)
    reason = "".join(filter(str.isprintable, " ".join(request.POST.get("reason", "").split())))[:MAX_REASON]
    ended = revoke_many(rows, actor=act.actor, at=act.at, origin=act.origin, reason=reason)
    messages.success(
        request,
        ngettext("%(count)d key or token is revoked.", "%(count)d keys and tokens are revoked.", len(ended))
        % {"count": len(ended)},
    )
    return HttpResponseRedirect(back)


def _picked(request: HttpRequest, rows: QuerySet[Credential]) -> QuerySet[Credential]:
    picked = set()
    for text in request.POST.getlist("key"):
        with suppress(ValueError):
            picked.add(UUID(text))
    return rows.filter(pk__in=picked)


def _shown(row: Credential) -> dict[str, Any]:
    at = now()
    standing = standing_of(row, at)
    text, badge = STATES[standing]
    projects = project_names(row.scope) if row.kind == Kind.UPLOAD_TOKEN else []
    return {
        "row": row,
        "name_of_key": row.handle or str(row.pk),
        "kind_text": KINDS[row.kind],
        "state": standing.value,
        "state_text": text,
        "badge": badge,
        "living": is_living(row, at),
        "roles": row.scope.get("roles", []),
        "labels": row.scope.get("labels", []),
        "networks": row.scope.get("networks", []),
        "rate": row.scope.get("rate", ""),
        "all_projects": projects is None,
        "projects": (projects or [])[:PROJECTS_SHOWN],
        "more_projects": max(len(projects or []) - PROJECTS_SHOWN, 0),
    }
