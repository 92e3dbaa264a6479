"""Errors of looking after accounts in the visitor's language, by their stable code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.errors import SealsteadError

_ERRORS: dict[str, Promise] = {
    "bad-user-name": _("Use letters, digits and . _ - between them, at most 50 characters."),
    "user-name-taken": _("This user name is taken."),
    "bad-email": _("This is not an e-mail address."),
    "email-taken": _("Another account has this e-mail address."),
    "own-account": _("This is your own account: another administrator can do that for you."),
    "account-gone": _("This account does not exist any more."),
    "account-needed": _("Only this account looks after some projects: make somebody else an owner first."),
    "not-an-administrator": _("Only an administrator may do that."),
}


def error_text(exc: SealsteadError) -> str:
    """Return the translated text; errors of other parts keep their own words."""
    text = _ERRORS.get(exc.code)
    return exc.message if text is None else str(text)
