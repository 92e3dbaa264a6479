"""What administrators are told before a signing certificate expires, so that there is time to renew it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sealstead.server.accounts.mail_kinds import MailKind
from sealstead.server.accounts.models import User
from sealstead.server.accounts.reminders import Reminder, register
from sealstead.server.signing.models import Certificate

LEADS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""Shortest first: the one that fits is sent, and a longer one is not made up for."""


def register_all() -> None:
    register("expiring-certificates", expiring)


def expiring(at: datetime) -> Iterator[Reminder]:
    """One whose label has a valid enabled certificate that ends later is renewed already."""
    ending = Certificate.objects.filter(
        enabled=True, is_root=False, not_after__gt=at, not_after__lte=at + LEADS[-1]
    )
    for row in ending.order_by("not_after", "pk"):
        if row.not_after is None or _renewed(row, at):
            continue
        lead = next(lead for lead in LEADS if row.not_after - at <= lead)
        yield Reminder(
            kind=MailKind.CERTIFICATE_EXPIRY,
            mark=f"{row.pk}:{row.not_after.isoformat()}:{lead.days}",
            until=row.not_after,
            users=list(User.objects.filter(is_superuser=True, is_active=True).order_by("pk")),
            template="certificate-expires",
            context={"row": row},
        )


def _renewed(row: Certificate, at: datetime) -> bool:
    return (
        bool(row.label_key)
        and Certificate.objects.filter(
            label_key=row.label_key,
            profile=row.profile,
            enabled=True,
            not_before__lte=at,
            not_after__gt=row.not_after,
        ).exists()
    )
