"""Temporary passwords: what an administrator is shown for a new account, or for somebody who is locked out.

- It dies after 12 hours, at the door and for whoever is in already.
- It opens nothing but the page on which to change it (`TemporaryPasswordMiddleware`).
- Any change of the password by its owner ends it (`events.py`).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sealstead.secret import Secret
from sealstead.server.accounts.models import User

LIFE = timedelta(hours=12)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters that survive being read out: without i, l, o, 0 and 1."""
_GROUPS, _GROUP = 4, 5


def make_password() -> Secret[str]:
    """Return a random password of 99 bits, in groups that can be read out."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return Secret("-".join(groups))


def must_change(user: User) -> bool:
    return user.temporary_password_until is not None


def is_over(user: User, *, at: datetime) -> bool:
    """Tell whether the password is a temporary one whose time has passed."""
    return user.temporary_password_until is not None and user.temporary_password_until <= at


def forget(user: User) -> None:
    """Note that the password is the owner's own from now on."""
    if must_change(user):
        user.temporary_password_until = None
        User.objects.filter(pk=user.pk).update(temporary_password_until=None)
