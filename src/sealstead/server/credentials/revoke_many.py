"""End several keys and tokens of one account at once, as an administrator does: all of them or none.

Each ends with what was made from it by rotation. The owner gets one mail, and each end is an event of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.kinds import facts_of_kind
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import end_links, ended_with, lock_line


def revoke_many(
    rows: Iterable[Credential], *, actor: User, at: datetime, origin: Origin, reason: str = ""
) -> list[Credential]:
    """Revoke the living ones among `rows`, all of one owner, and return what ended now; it may be nothing."""
    ended: list[Credential] = []
    with transaction.atomic():
        # Lines are locked in one order, whoever picks them: two administrators never wait for each other.
        for row in sorted(rows, key=lambda one: (one.line, one.created_at)):
            held = lock_line(row)
            for link in end_links(ended_with(held), at=at, reason=reason):
                ended.append(link)
                record(
                    facts_of_kind(link).revoked,
                    at=at,
                    origin=origin,
                    actor_id=actor.pk,
                    actor_name=actor.get_username(),
                    user_id=link.owner_id,
                    credential_id=link.pk,
                    details={"name": link.name, "reason": reason},
                )
        if ended:
            notify(
                [ended[0].owner],
                "keys-revoked",
                {"ended": ended, "actor": actor.get_username(), "reason": reason, "at": at},
            )
    return ended
