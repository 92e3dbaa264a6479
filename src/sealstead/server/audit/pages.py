"""Events, newest first, as a page or as a file: a person's own, all for administrators, and for the index a project's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from sealstead.server.audit import refresh
from sealstead.server.audit.download import FORMATS, download
from sealstead.server.audit.find import find_events, read_filter
from sealstead.server.audit.kinds import KINDS, OUTCOMES
from sealstead.server.audit.labels import LABELS, shown_details, shown_program, shown_reason
from sealstead.server.audit.models import Event
from sealstead.server.audit.names import names_of

PER_PAGE = 50


@login_required
@require_GET
def own_events(request: HttpRequest) -> HttpResponseBase:
    events = Event.objects.filter(Q(user_id=request.user.pk) | Q(actor_id=request.user.pk))
    return show_events(request, events, template="audit/events.html", context={})


@login_required
@require_GET
def all_events(request: HttpRequest) -> HttpResponseBase:
    """Everything that happened on the server, for administrators; for others the page does not exist."""
    if not getattr(request.user, "is_superuser", False):
        raise Http404
    wanted = read_filter(request.GET)
    return show_events(
        request,
        find_events(wanted),
        template="audit/all_events.html",
        context={
            "filter": wanted,
            "kinds": [(kind, name) for kind, (name, _nouns) in KINDS.items()],
            "outcomes": OUTCOMES.items(),
            "kept": urlencode(wanted.kept()),
        },
        everything=True,
    )


def show_events(
    request: HttpRequest,
    events: QuerySet[Event],
    *,
    template: str,
    context: dict[str, object],
    everything: bool = False,
) -> HttpResponseBase:
    """Show these events on a page that includes `audit/event_rows.html`, or send them all with `?format=`.

    `everything` also shows where others came from. `context["kept"]` are the parameters that lead back to these events.
    """
    events = events.order_by("-id")
    if request.GET.get("format") in FORMATS:
        return download(events, request.GET["format"], reader=None if everything else request.user.pk)
    # Keyset paging: the page stays right while new events arrive, and the thousandth page is as quick as the first.
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:  # noqa: PLR2004 - fits a 64-bit integer
        events = events.filter(id__lt=int(before))
    rows = list(events[: PER_PAGE + 1])
    older = rows[PER_PAGE - 1].pk if len(rows) > PER_PAGE else None
    names = names_of(rows) if everything else {}
    shown = [_shown(request, row, names, everything=everything) for row in rows[:PER_PAGE]]
    again = None if before else refresh.read(request.GET, [row.pk for row in rows])
    values = {"events": shown, "older": older, "everything": everything, "refresh": again, "before": before}
    answer = render(request, template, {**context, **values})
    if again is not None and again.address:
        answer["Refresh"] = f"{refresh.SECONDS}; url={request.path}?{again.address}"
    return answer


def _shown(request: HttpRequest, row: Event, names: dict[UUID, str], *, everything: bool) -> dict[str, Any]:
    return {
        "at": row.at,
        "label": LABELS.get(row.tag, row.tag),
        "accepted": row.accepted,
        "code": row.code,
        "reason": shown_reason(row),
        "project": row.project,
        # Whom it concerns, where that is not who did it.
        "account": names.get(row.user_id, "") if row.user_id and row.user_id != row.actor_id else "",
        "account_id": row.user_id,
        "credential_id": row.credential_id,
        "details": shown_details(row.details),
        "actor_name": row.actor_name,
        "by_visitor": everything or _by(request, row),
        "ip": row.ip,
        "user_agent": shown_program(row.user_agent),
    }


def _by(request: HttpRequest, event: Event) -> bool:
    """Where somebody else came from is theirs; an unknown visitor's address is the account's business."""
    return event.actor_id is None or event.actor_id == request.user.pk
