"""Find events among all of them: by kind, outcome, day, and words."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from sealstead.server.audit.kinds import KINDS, OUTCOMES
from sealstead.server.audit.labels import LABELS
from sealstead.server.audit.models import Event
from sealstead.server.audit.names import ids_named

MAX_QUERY = 100


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What somebody looks for; blank values look for everything. Days are whole, in UTC."""

    query: str = ""
    kind: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    def kept(self) -> dict[str, str]:
        """Return the filter as the parameters of an address."""
        values = {
            "q": self.query,
            "kind": self.kind,
            "outcome": self.outcome,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in values.items() if value}


def read_filter(parameters: QueryDict) -> Filter:
    """Read a filter out of an address. What is not known there is left out: the page shows what it looked for."""
    # Nothing that cannot be typed: PostgreSQL takes no NUL.
    query = "".join(filter(str.isprintable, " ".join(parameters.get("q", "").split())))[:MAX_QUERY]
    kind, outcome = parameters.get("kind", ""), parameters.get("outcome", "")
    return Filter(
        query=query,
        kind=kind if kind in KINDS else "",
        outcome=outcome if outcome in OUTCOMES else "",
        since=_day(parameters.get("since", "")),
        until=_day(parameters.get("until", "")),
    )


def find_events(wanted: Filter) -> QuerySet[Event]:
    """Return the events, in no order. Each word of the query must be found somewhere in the event."""
    rows = Event.objects.all()
    if wanted.kind:
        nouns = Q()
        for noun in KINDS[wanted.kind][1]:
            nouns |= Q(tag__startswith=f"{noun}:")
        rows = rows.filter(nouns)
    if wanted.outcome:
        rows = rows.filter(accepted=wanted.outcome == "accepted")
    if wanted.since:
        rows = rows.filter(at__gte=datetime.combine(wanted.since, time(), UTC))
    if wanted.until and wanted.until < date.max:
        rows = rows.filter(at__lt=datetime.combine(wanted.until + timedelta(days=1), time(), UTC))
    words = wanted.query.split()
    if words:
        rows = rows.annotate(details_text=Cast("details", TextField()), ip_text=Cast("ip", TextField()))
        for word in words:
            rows = rows.filter(_holds(word))
    return rows


def _holds(word: str) -> Q:
    found = (
        Q(actor_name__icontains=word)
        | Q(project__icontains=word)
        | Q(tag__icontains=word)
        | Q(code__icontains=word)
        | Q(ip_text__icontains=word)
        | Q(request_id__icontains=word)
        | Q(user_agent__icontains=word)
        | Q(details_text__icontains=word)
        # SQLite keeps JSON as it was written, in ASCII.
        | Q(details_text__icontains=json.dumps(word)[1:-1])
        # People read the events in their own language, and search for what they read.
        | Q(tag__in=[tag for tag, label in LABELS.items() if word.casefold() in str(label).casefold()])
    )
    named = ids_named(word)
    if named:
        found |= Q(user_id__in=named)
    with suppress(ValueError):
        identifier = UUID(word)
        found |= Q(credential_id=identifier) | Q(user_id=identifier) | Q(actor_id=identifier)
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
