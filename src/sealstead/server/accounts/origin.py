"""Moment and origin of a request, for verbs that take them as values."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from sealstead.server.audit.origin import origin_of

__all__ = ["now", "origin_of"]


def now() -> datetime:
    moment: datetime = settings.SEALSTEAD.clock.now()
    return moment
