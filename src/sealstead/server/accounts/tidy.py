"""Delete rows that mean the same as none: expired sessions, windows that are over, marks of what is refused for its age."""

from __future__ import annotations

from datetime import datetime

from sealstead.server.accounts import limits, marks
from sealstead.server.accounts.sessions import SessionStore


def tidy(at: datetime) -> None:
    """Called at each sign-in: often enough, and no job has to run for anything to end on time."""
    SessionStore.clear_expired()
    limits.clear_expired(at)
    marks.clear_expired(at)
