"""Mails about what is going to happen: each is sent once, whatever number of workers and hosts looks for them.

Apps register a source; a source looks at the database and returns what is due now. A mark in the database, set in the
transaction that sends the mail, makes it one: a worker killed before the commit has sent nothing and marked nothing,
one killed after it may lose the mail. Nothing here ends or changes a credential, which needs no job at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from sealstead.server.accounts import limits, marks
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.mail_kinds import MailKind, is_off_for_all
from sealstead.server.accounts.models import User

_PURPOSE = "reminder"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reminder:
    kind: MailKind
    mark: str
    """Names this mail for ever: what it is about, the moment it warns of, and how early."""
    until: datetime
    """From here on the source does not return it any more; so long the mark is kept."""
    users: Sequence[User]
    template: str
    context: Mapping[str, Any]


Source = Callable[[datetime], Iterable[Reminder]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Add a source, or replace the one of the same name."""
    _sources[name] = source


def send_due(at: datetime) -> int:
    """Send what is due at `at` and was not sent before; return how many. One source that fails leaves the others alone."""
    sent = 0
    for name, source in list(_sources.items()):
        try:
            sent += sum(_send(reminder) for reminder in source(at))
        except Exception:  # noqa: BLE001 - a job has nobody above it; the trace goes to the log
            _log.exception("reminders failed", source=name)
    return sent


def first_to_run(at: datetime, every: timedelta) -> bool:
    """Tell one of all workers on all hosts, once in each slot of `every`, that it is its turn."""
    slot = limits.microseconds(at) // (every // timedelta(microseconds=1))
    return marks.use_once("reminders-slot", str(slot), expires_at=at + 2 * every)


def _send(reminder: Reminder) -> bool:
    if is_off_for_all(reminder.kind):
        return False
    with transaction.atomic():
        mark = f"{reminder.kind}:{reminder.mark}"
        # Kept for a day longer: two hosts' clocks need not agree about the end.
        if not marks.use_once(_PURPOSE, mark, expires_at=reminder.until + timedelta(days=1)):
            return False
        notify(reminder.users, reminder.template, reminder.context, kind=reminder.kind)
    return True
