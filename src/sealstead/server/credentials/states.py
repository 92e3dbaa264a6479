"""Rows as `lifecycle` sees them."""

from __future__ import annotations

from datetime import datetime

from sealstead.lifecycle.rotation import Link
from sealstead.lifecycle.states import LIVING, Moments, Standing, standing_at
from sealstead.server.credentials.models import Credential


def moments_of(row: Credential) -> Moments:
    return Moments(
        created_at=row.created_at,
        not_before=row.not_before,
        expires_at=row.expires_at,
        retires_at=row.retires_at,
        overdue_at=row.overdue_at,
        disabled_at=row.disabled_at,
        revoked_at=row.revoked_at,
    )


def standing_of(row: Credential, at: datetime) -> Standing:
    return standing_at(moments_of(row), at)


def is_living(row: Credential, at: datetime) -> bool:
    """Whether the row is not at an end: accepted, or going to be."""
    return standing_of(row, at) in LIVING


def link_of(row: Credential, *, rotated: bool = False) -> Link:
    """`rotated`: something was made from it, so somebody had it, which counts as use."""
    return Link(
        id=row.pk,
        moments=moments_of(row),
        name=row.handle or "",
        used=rotated or row.last_used_at is not None,
        rotation_key=row.rotation_key,
    )
