"""What is known about a user's e-mail addresses."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from sealstead.server.accounts.models import User


def has_verified_email(user: User) -> bool:
    """Tell whether the primary address is verified. Tokens may be made only then: leak reports are mailed to it."""
    return bool(EmailAddress.objects.filter(user=user, primary=True, verified=True).exists())
