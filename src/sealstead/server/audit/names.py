"""User names of the accounts that events concern. Events hold ids: the accounts may be gone, and their names change hands."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth import get_user_model

from sealstead.server.audit.models import Event


def names_of(events: Iterable[Event]) -> dict[UUID, str]:
    """Return the name of each account that still exists, by one query."""
    wanted = {event.user_id for event in events if event.user_id}
    return dict(get_user_model().objects.filter(pk__in=wanted).values_list("pk", "username"))


def ids_named(part: str) -> list[UUID]:
    """Return the accounts whose user name holds `part`."""
    return list(get_user_model().objects.filter(username__icontains=part).values_list("pk", flat=True)[:1000])
