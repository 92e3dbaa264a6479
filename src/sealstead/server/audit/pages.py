"""Events, newest first, as a page or as JSON lines: a person's own, and (for the index) those of a project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from sealstead.server.audit.labels import LABELS, shown_details, shown_program, shown_reason
from sealstead.server.audit.models import Event

PER_PAGE = 50


@login_required
@require_GET
def own_events(request: HttpRequest) -> HttpResponseBase:
    events = Event.objects.filter(Q(user_id=request.user.pk) | Q(actor_id=request.user.pk))
    return show_events(request, events, template="audit/events.html", context={})


def show_events(
    request: HttpRequest, events: QuerySet[Event], *, template: str, context: dict[str, object]
) -> HttpResponseBase:
    """Show these events on a page that includes `audit/event_rows.html`, or send them all with `?format=jsonl`."""
    events = events.order_by("-id")
    if request.GET.get("format") == "jsonl":
        answer = StreamingHttpResponse(_lines(request, events), content_type="application/jsonl")
        answer["Content-Disposition"] = 'attachment; filename="events.jsonl"'
        return answer
    # Keyset paging: the page stays right while new events arrive, and the thousandth page is as quick as the first.
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:  # noqa: PLR2004 - fits a 64-bit integer
        events = events.filter(id__lt=int(before))
    rows = list(events[: PER_PAGE + 1])
    older = rows[PER_PAGE - 1].pk if len(rows) > PER_PAGE else None
    shown = [_shown(request, row) for row in rows[:PER_PAGE]]
    return render(request, template, {**context, "events": shown, "older": older})


def _shown(request: HttpRequest, row: Event) -> dict[str, Any]:
    return {
        "at": row.at,
        "label": LABELS.get(row.tag, row.tag),
        "accepted": row.accepted,
        "code": row.code,
        "reason": shown_reason(row),
        "project": row.project,
        "credential_id": row.credential_id,
        "details": shown_details(row.details),
        "actor_name": row.actor_name,
        "by_visitor": _by(request, row),
        "ip": row.ip,
        "user_agent": shown_program(row.user_agent),
    }


def _by(request: HttpRequest, event: Event) -> bool:
    """Where somebody else came from is theirs; an unknown visitor's address is the account's business."""
    return event.actor_id is None or event.actor_id == request.user.pk


def _lines(request: HttpRequest, events: QuerySet[Event]) -> Iterator[str]:
    for event in events.iterator(chunk_size=500):
        own = _by(request, event)
        yield (
            json.dumps(
                {
                    "id": event.pk,
                    "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                    "tag": event.tag,
                    "accepted": event.accepted,
                    "code": event.code,
                    "actor": event.actor_name,
                    "credential": str(event.credential_id) if event.credential_id else None,
                    "project": event.project or None,
                    "ip": event.ip if own else None,
                    "user_agent": event.user_agent if own else None,
                    "request_id": event.request_id if own else None,
                    "details": event.details,
                },
                ensure_ascii=False,
            )
            + "\n"
        )
