"""Limits on guessing passwords, and the events of signing in.

Each check of a password is counted before it is made (`limits.py`), from the narrowest bucket to the widest, and stops
at the first full one: who is stopped for one account does not use up what others have.

- account and network: 20 in 15 minutes. A success clears it, so it counts wrong passwords in a row.
- account: 100 an hour from wherever, so that many networks together guess no faster. Its owner can be kept out for
  the rest of that hour by five networks; without it, the number of networks would be the limit.
- network: 100 in 15 minutes, over all accounts.
- server: 5000 in 15 minutes.

The right password is refused like a wrong one while a bucket is full, else the answer would tell them apart.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from sealstead.server.accounts import limits
from sealstead.server.accounts.find import find_user
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record

_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A counted check of a password. Ends with `succeeded` or `failed`."""

    login: str
    user: User | None
    origin: Origin
    narrow: str
    wide: tuple[str, ...]

    def succeeded(self) -> None:
        limits.forget(self.narrow)
        for bucket in self.wide:
            limits.give_back(bucket)

    def failed(self, *, at: datetime) -> None:
        self._refused("wrong-password" if self.user else "unknown-user", at=at)

    def _refused(self, code: str, *, at: datetime) -> None:
        # People type passwords into the field of the user name, so what stands there is stored only as a
        # keyed hash: enough to see that one name was tried a hundred times, of no use for finding it.
        details = {} if self.user else {"login": login_digest(self.login)}
        record(
            tags.SIGN_IN_REFUSED,
            at=at,
            origin=self.origin,
            accepted=False,
            code=code,
            user_id=self.user.pk if self.user else None,
            details=details,
        )


def begin_attempt(login: str, *, at: datetime, origin: Origin) -> Attempt:
    """Count an attempt to sign in as `login`.

    Raises:
        TooManyAttemptsError: one of the limits above is reached. Recorded, once for each window.
    """
    user = find_user(login)
    subject = f"id:{user.pk}" if user else f"typed:{login.strip().casefold()}"
    network = limits.network_of(origin.ip)
    narrow = f"password:account+network:{subject}:{network}"
    wide = (f"password:account:{subject}", f"password:network:{network}", "password:server")
    attempt = Attempt(login=login, user=user, origin=origin, narrow=narrow, wide=wide)
    # One commit for all four; the refusal is raised after it, so that it does not undo the count.
    with transaction.atomic():
        for bucket, limit, window in (
            (narrow, 20, _QUARTER),
            (wide[0], 100, _HOUR),
            (wide[1], 100, _QUARTER),
            (wide[2], 5000, _QUARTER),
        ):
            verdict = limits.hit(bucket, limit, window, at)
            if verdict.count == limit + 1:
                # Only the first refusal of a window is an event, else a guesser would fill the table.
                attempt._refused(limits.TooManyAttemptsError.code, at=at)  # noqa: SLF001 - same module
            if not verdict.allowed:
                break
    verdict.require()
    return attempt


def login_digest(login: str) -> str:
    key: bytes = settings.SEALSTEAD.ring.derive("login-digest")
    return hmac.digest(key, login.strip().casefold().encode(), "sha256").hex()[:16]
