"""The one periodic job of the server: mails about what is going to happen, and room for what is over.

Each worker has a quiet thread that wakes once a minute. One of all workers, on all hosts, does what is due in a slot of ten
minutes; the others find that it is done. Nothing else depends on it: credentials begin and end by themselves.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import close_old_connections, connections

from sealstead.server.accounts.reminders import first_to_run, send_due
from sealstead.server.signing.records import clear_expired

EVERY = timedelta(minutes=10)
_WAKE_SECONDS = 60.0

_log = structlog.get_logger(__name__)


def start() -> None:
    """Begin, in a worker: threads do not survive a fork."""
    threading.Thread(target=_run, name="housekeeping", daemon=True).start()


def run_once() -> bool:
    """Do what is due if nobody else has in this slot; tell whether it was this one's turn."""
    close_old_connections()
    try:
        at = settings.SEALSTEAD.clock.now()
        if not first_to_run(at, EVERY):
            return False
        send_due(at)
        clear_expired(at)
        return True
    finally:
        connections.close_all()


def _run() -> None:
    pause = threading.Event()
    # At first a little later, so that a start answers requests and nothing else.
    while not pause.wait(_WAKE_SECONDS):
        try:
            run_once()
        except Exception:  # noqa: BLE001 - a database that is away for a while must not end the thread
            _log.exception("housekeeping failed")
