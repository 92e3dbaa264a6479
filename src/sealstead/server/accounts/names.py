"""Which user names there may be."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 50

# ASCII, so that no two names look alike; no `@`, so that a name is never somebody else's e-mail address.
user_name = RegexValidator(
    rf"\A[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,{MAX_LENGTH - 2}}}[A-Za-z0-9])?\Z",
    _("Use letters, digits and . _ - between them, at most 50 characters."),
    code="user-name",
)

VALIDATORS = [user_name]
"""For `ACCOUNT_USERNAME_VALIDATORS`."""
