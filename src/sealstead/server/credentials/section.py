"""The list of an account's credentials: the section "API tokens and keys" of the account settings page.

All kinds share it. Five hundred rows stay usable: those in use come first, the others behind a filter,
25 a page, with a search over names, projects and ids.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sealstead.server.accounts.models import User
from sealstead.server.credentials.listing import credentials_of
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.scope import project_names
from sealstead.server.credentials.states import is_living, standing_of
from sealstead.server.credentials.texts import KINDS, STATES

PER_PAGE = 25
PROJECTS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A credential as pages show it."""

    row: Credential
    state: str
    state_text: str
    badge: str
    kind_text: str
    living: bool
    is_key: bool
    id_text: str
    """What people and programs name it by: the id in a key's text, the id inside a token."""
    roles: list[str]
    labels: list[str]
    networks: list[str]
    rate: str
    projects: list[str] | None
    """`None`: all projects of the owner."""
    more_projects: int


def shown(row: Credential, at: datetime, *, all_projects: bool = False) -> Shown:
    state = standing_of(row, at)
    text, badge = STATES[state]
    names = project_names(row.scope)
    cut = names if names is None or all_projects else names[:PROJECTS_SHOWN]
    return Shown(
        row=row,
        state=state,
        state_text=str(text),
        badge=badge,
        kind_text=str(KINDS[row.kind]),
        living=is_living(row, at),
        is_key=row.kind == Kind.API_KEY,
        id_text=row.handle or str(row.pk),
        roles=row.scope.get("roles", []),
        labels=row.scope.get("labels", []),
        networks=row.scope.get("networks", []),
        rate=row.scope.get("rate", ""),
        projects=cut,
        more_projects=len(names or ()) - len(cut or ()),
    )


def section_context(request: HttpRequest) -> dict[str, Any]:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the page asks for a sign-in; for the type checker
    at = settings.SEALSTEAD.clock.now()
    # Nothing that cannot be typed: PostgreSQL takes no NUL, and no name has any.
    query = "".join(filter(str.isprintable, " ".join(request.GET.get("token_q", "").split())))[:100]
    ended = request.GET.get("token_state") == "ended"
    rows = credentials_of(user)
    living = in_use(at)
    chosen = _matching(rows.exclude(living) if ended else rows.filter(living), query)
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("token_page"))
    return {
        "tokens": [shown(row, at) for row in page],
        "page": page,
        "token_query": query,
        "ended": ended,
        "ended_count": rows.exclude(living).count(),
        "several_pages": page.paginator.num_pages > 1,
        "filterable": bool(query) or page.paginator.count > PER_PAGE,
    }


def in_use(at: datetime) -> Q:
    return (
        Q(revoked_at=None)
        & (Q(expires_at=None) | Q(expires_at__gt=at))
        & (Q(retires_at=None) | Q(retires_at__gt=at))
    )


def _matching(rows: QuerySet[Credential], query: str) -> QuerySet[Credential]:
    if not query:
        return rows
    found = Q(name__icontains=query) | Q(scope__projects__has_key=query.lower()) | Q(handle=query)
    with suppress(ValueError):
        found |= Q(pk=UUID(query))
    return rows.filter(found)
