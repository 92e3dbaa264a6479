"""How passwords are stored, and which are accepted.

Stored with Argon2id under the second recommended profile of RFC 9106, section 4 ("memory constrained": t=3, p=4,
64 MiB). The first one takes 2 GiB for each sign-in. Django's own default (t=2, 100 MiB, p=8) follows no profile.

Accepted as NIST SP 800-63B, section 3.1.1 advises: length and not a common one, no rules on kinds of characters,
no expiry. 12 characters at least: that page asks for 8 with a second factor and 15 without one, and guessing here is
limited to some hundred a day (`signin.py`).
"""

from __future__ import annotations

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

MIN_LENGTH = 12
MAX_LENGTH = 4096

# Each hash takes 64 MiB while it runs; sixteen threads signing in at once would need a gigabyte.
_AT_ONCE = threading.BoundedSemaphore(2)


class Rfc9106LowMemory(Argon2PasswordHasher):
    """Argon2id, RFC 9106, section 4, second recommended option; salt of 16 bytes, tag of 32."""

    time_cost = 3
    memory_cost = 64 * 1024
    parallelism = 4

    def encode(self, password: str, salt: str) -> str:
        with _AT_ONCE:
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with _AT_ONCE:
            return bool(super().verify(password, encoded))


class CheapForTests(Argon2PasswordHasher):
    """Of no worth against guessing. For tests only: the smallest parameters Argon2id has."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


class MaximumLengthValidator:
    """Refuse what would only cost time and memory. Far above any pass phrase, as SP 800-63B asks (at least 64)."""

    def validate(self, password: str, user: object = None) -> None:
        if len(password) > MAX_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return ngettext(
            "Your password must contain at most %(count)d character.",
            "Your password must contain at most %(count)d characters.",
            MAX_LENGTH,
        ) % {"count": MAX_LENGTH}
