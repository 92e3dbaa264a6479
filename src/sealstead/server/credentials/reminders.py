"""What owners of credentials are told before it happens.

* A key or token expires: within 7 days, and again within one. Not for one that was given little more than that to live,
  and not for one that has a successor, for then its end is the plan.
* A replaced API key ends within a day, and was used in the last two: some system has not got the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from sealstead.server.accounts.mail_kinds import MailKind
from sealstead.server.accounts.reminders import Reminder, register
from sealstead.server.credentials.models import AddressUse, Credential, Kind

LEADS = (timedelta(days=1), timedelta(days=7))
"""Shortest first: the one that fits is sent, and a longer one is not made up for."""
OLD_KEY_LEAD = timedelta(days=1)
_STILL = timedelta(days=2)


def register_all() -> None:
    register("expiring-credentials", expiring)
    register("old-keys-in-use", old_keys_in_use)


def expiring(at: datetime) -> Iterator[Reminder]:
    rows = (
        _standing()
        .filter(expires_at__gt=at, expires_at__lte=at + LEADS[-1], retires_at=None, overdue_at=None)
        .order_by("expires_at", "pk")
    )
    for row in rows:
        if row.expires_at is None:
            continue
        lead = next(lead for lead in LEADS if row.expires_at - at <= lead)
        if row.expires_at - row.created_at < 2 * lead:
            continue
        yield Reminder(
            kind=MailKind.KEY_EXPIRY,
            mark=f"{row.pk}:{row.expires_at.isoformat()}:{lead.days}",
            until=row.expires_at,
            users=[row.owner],
            template="credential-expires",
            context={"row": row, "is_key": row.kind == Kind.API_KEY},
        )


def old_keys_in_use(at: datetime) -> Iterator[Reminder]:
    used = AddressUse.objects.filter(credential=OuterRef("pk"), last_at__gt=at - _STILL)
    rows = (
        _standing()
        .filter(kind=Kind.API_KEY, retires_at__gt=at, retires_at__lte=at + OLD_KEY_LEAD)
        .filter(Exists(used))
        .order_by("retires_at", "pk")
    )
    for row in rows:
        successor = row.successors.filter(revoked_at=None).first()
        # An overlap of a day or less has no "one day before": its uses are expected.
        if (
            row.retires_at is None
            or successor is None
            or row.retires_at - successor.created_at <= OLD_KEY_LEAD
        ):
            continue
        yield Reminder(
            kind=MailKind.OLD_KEY_IN_USE,
            mark=f"{row.pk}:{row.retires_at.isoformat()}",
            until=row.retires_at,
            users=[row.owner],
            template="old-key-in-use",
            context={
                "row": row,
                "successor": successor,
                "uses": list(
                    row.address_uses.filter(last_at__gt=at - _STILL).order_by("-last_at", "address")[:20]
                ),
            },
        )


def _standing() -> QuerySet[Credential]:
    return Credential.objects.select_related("owner").filter(
        removed_at=None, revoked_at=None, disabled_at=None, owner__is_active=True
    )
