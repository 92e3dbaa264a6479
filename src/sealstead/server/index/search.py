"""Find projects by words of their name or summary.

`LIKE` over two short columns, on every database alike: 20,000 projects take some 10 ms, and nothing has to be kept
in step with the rows. Rules: all words must be found; names are compared as installers do (PEP 503); the name
itself comes first, then names that begin with the words, then names that hold them, then summaries.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from packaging.utils import canonicalize_name

from sealstead.server.index.models import Project, ProjectState

MAX_QUERY_CHARACTERS: Final = 200
MAX_WORDS: Final = 8


def listed() -> QuerySet[Project]:
    """The projects that lists show, by name: neither deleted nor quarantined."""
    return (
        Project.objects.filter(deleted_at=None)
        .exclude(state=ProjectState.QUARANTINED)
        .order_by("normalized_name")
    )


def search(query: str) -> QuerySet[Project]:
    """Return the listed projects that hold every word of `query`, the best first; all of them for no words."""
    # NUL is no character of a PostgreSQL text.
    words = query[:MAX_QUERY_CHARACTERS].replace("\x00", "").split()[:MAX_WORDS]
    if not words:
        return listed()
    found = listed()
    for word in words:
        name = canonicalize_name(word)
        condition = Q(summary__icontains=word)
        if name.strip("-"):
            condition |= Q(normalized_name__contains=name)
        found = found.filter(condition)
    whole = canonicalize_name("-".join(words))
    rank = Case(
        When(normalized_name=whole, then=Value(0)),
        When(normalized_name__startswith=whole, then=Value(1)),
        When(normalized_name__contains=whole, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return found.order_by(rank, "normalized_name")
