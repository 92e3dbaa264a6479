"""Sessions under a hash of their key, with sealed contents (`settings.SESSION_ENGINE`).

- The cookie holds a random key; the row is found by the key's SHA-256. Who reads the database has no key to send.
- The contents are sealed under the master key for that one row. Who writes the database cannot make a session,
  nor move somebody's contents to a key of their own, and reads nothing that a half-finished sign-in has left there.
- A session ends 12 hours after it was last used. `last_seen_at` moves at most every `TOUCH`, by a statement that
  touches nothing else, so that reading a page never overwrites what another request has just stored.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import DatabaseError, IntegrityError, router, transaction

from sealstead.custody.sealed import SealBrokenError, UnknownMasterKeyError
from sealstead.server.accounts.models import Session

IDLE = timedelta(hours=12)
TOUCH = timedelta(minutes=5)
"""A session may so end up to this much early or be written once in this time, not at each request."""


class SessionStore(SessionBase):
    def load(self) -> dict[str, Any]:
        now = settings.SEALSTEAD.clock.now()
        row = Session.objects.filter(handle=self._handle(), expires_at__gt=now).first()
        if row is not None:
            try:
                contents: dict[str, Any] = json.loads(
                    settings.SEALSTEAD.ring.open(bytes(row.sealed), context=_context(row.handle))
                )
            except (SealBrokenError, UnknownMasterKeyError):
                # Written by somebody without the master key, or sealed under one that is gone: no session.
                pass
            else:
                if now - row.last_seen_at >= TOUCH:
                    Session.objects.filter(handle=row.handle).update(last_seen_at=now, expires_at=now + IDLE)
                return contents
        self._session_key = None
        return {}

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(handle=handle_of(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - the parent's signature
        if self.session_key is None:
            self.create()
            return
        contents = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        handle = self._handle()
        now = settings.SEALSTEAD.clock.now()
        user_id = contents.get(SESSION_KEY)
        values = {
            "sealed": settings.SEALSTEAD.ring.seal(json.dumps(contents).encode(), context=_context(handle)),
            "user_id": UUID(user_id) if user_id else None,
            "last_seen_at": now,
            "expires_at": now + IDLE,
        }
        if must_create:
            try:
                with transaction.atomic(using=router.db_for_write(Session)):
                    Session.objects.create(handle=handle, created_at=now, **values)
            except IntegrityError as exc:
                raise CreateError from exc
            return
        try:
            changed = Session.objects.filter(handle=handle).update(**values)
        except DatabaseError as exc:
            raise UpdateError from exc
        if not changed:
            # Ended by another request meanwhile: it must not come back.
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(handle=handle_of(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expires_at__lte=settings.SEALSTEAD.clock.now()).delete()

    def _handle(self) -> str:
        return handle_of(self.session_key or "")


def handle_of(session_key: str) -> str:
    """Return the name under which the session of this key is stored."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def end_sessions(user_id: UUID, *, but: str | None = None) -> int:
    """End all sessions of a user at once, but the one of the key `but`. Returns how many."""
    rows = Session.objects.filter(user_id=user_id)
    if but is not None:
        rows = rows.exclude(handle=handle_of(but))
    return rows.delete()[0]


def _context(handle: str) -> tuple[str, ...]:
    return ("accounts_session", "sealed", handle)
