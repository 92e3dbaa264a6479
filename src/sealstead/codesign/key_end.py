"""When an API key stops working, by the server's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealstead.codesign.server_values import KeyInfo


def end_of(info: KeyInfo) -> datetime | None:
    """Return when the key ends: by its own expiry, or because a rotation retires it before; None if neither."""
    return min((at for at in (info.expires_at, info.retires_at) if at is not None), default=None)


def ends_within(info: KeyInfo, limit: timedelta, *, now: datetime) -> bool:
    """Return whether the key ends within `limit`. `now` counts only where the server does not tell its own time."""
    end = end_of(info)
    if end is None:
        return False
    if info.expires_at is not None and info.expires_in_seconds is not None:
        now = info.expires_at - timedelta(seconds=info.expires_in_seconds)
    return end - now <= limit
