"""Certificates as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.parts import parts_of

SOON = timedelta(days=30)
"""From here on a list says that a certificate is about to end: issuing the next one takes days."""

STATES: dict[str, tuple[Promise, str]] = {
    "awaited": (_("waits for its certificate"), "badge--pre-activation"),
    "disabled": (_("disabled"), "badge--revoked"),
    "not-yet": (_("not valid yet"), "badge--pre-activation"),
    "expired": (_("expired"), "badge--expired"),
    "soon": (_("expires soon"), "badge--caution"),
    "valid": (_("usable"), "badge--active"),
}
"""State to its words and the class of its badge."""

PROFILES: dict[str, Promise] = {
    Profile.AUTHENTICODE: _("Windows programs and scripts (Authenticode)"),
    Profile.CMS_DETACHED: _("any file, detached (CMS, .p7s)"),
    Profile.MINISIGN: _("any file, detached (minisign)"),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    row: Certificate
    state: str
    state_text: str
    badge: str
    profile_text: str
    parts: list[str]
    """Of `parts.py`: what can be downloaded."""


def shown(row: Certificate, at: datetime) -> Shown:
    state = state_of(row, at)
    text, badge = STATES[state]
    return Shown(
        row=row,
        state=state,
        state_text=str(text),
        badge=badge,
        profile_text=str(PROFILES[row.profile]),
        parts=parts_of(row),
    )


def state_of(row: Certificate, at: datetime) -> str:
    """Return what stands in the way of signing first, else what will."""
    if row.awaits_chain:
        return "awaited"
    if not row.enabled:
        return "disabled"
    if row.not_before is not None and at < row.not_before:
        return "not-yet"
    if row.not_after is not None and row.not_after <= at:
        return "expired"
    return "soon" if row.not_after is not None and row.not_after - at <= SOON else "valid"
