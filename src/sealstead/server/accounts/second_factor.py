"""Check a typed second factor: a code of the authenticator app, or a recovery code."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from allauth.mfa.models import Authenticator

from sealstead.server.accounts import limits, recovery, totp
from sealstead.server.accounts.models import User

PER_QUARTER = 10
PER_DAY = 50


class Kind(StrEnum):
    TOTP = "totp"
    RECOVERY_CODE = "recovery_codes"


def check_code(user: User, code: str, *, at: datetime) -> Kind | None:
    """Return what kind of code it is, now used up; None for a wrong or used one.

    Ten in 15 minutes and fifty a day: at three valid codes of a million, a guesser who has the password needs
    about thirteen years for an even chance.

    Raises:
        TooManyAttemptsError
    """
    buckets = count_attempt(user, at=at)
    kind = _check(user, code, at=at)
    if kind is not None:
        for bucket in buckets:
            limits.forget(bucket)
    return kind


def count_attempt(user: User, *, at: datetime) -> tuple[str, ...]:
    """Count one attempt with a second factor of any kind, and return the buckets a success clears."""
    quarter, day = f"second-factor:quarter:{user.pk}", f"second-factor:day:{user.pk}"
    limits.hit(quarter, PER_QUARTER, timedelta(minutes=15), at).require()
    limits.hit(day, PER_DAY, timedelta(days=1), at).require()
    return quarter, day


def _check(user: User, code: str, *, at: datetime) -> Kind | None:
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    secret = totp.open_secret(user.pk, row.data["secret"]) if row else None
    if secret and totp.use_code(user.pk, secret, code, at=at):
        return Kind.TOTP
    return Kind.RECOVERY_CODE if recovery.use_code(user, code, at=at) else None
