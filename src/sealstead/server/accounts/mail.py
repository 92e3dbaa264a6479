"""Mails to account holders, each in the recipient's own language.

`mail/<template>.subject.txt` and `mail/<template>.txt` are plain text and rendered without HTML escaping. A mail
leaves after the transaction that caused it has been committed: never about something that did not happen. A mail
server that fails is logged and does not undo what has been done. Nor does anybody wait for it: how long an answer takes
would tell a stranger whether a mail was sent, and so whether an address has an account.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from sealstead.server.accounts.mail_kinds import MailKind, wants
from sealstead.server.accounts.models import User

_log = logging.getLogger(__name__)


def notify(
    users: Iterable[User], template: str, context: Mapping[str, Any], *, kind: MailKind | None = None
) -> None:
    """Send `mail/<template>` to each user's primary address; a user without one is passed over.

    A mail of a `kind` can be switched off; one without is always sent. The template sees `context`, the recipient as `user`, and `public_url`.
    """
    for user in users:
        address = address_of(user)
        if address and (kind is None or wants(user, kind)):
            send(address, template, {**context, "user": user}, language=user.language)


def address_of(user: User) -> str:
    """Return the address mails go to: the primary one, else what the user row holds; blank if there is none."""
    primary: str | None = EmailAddress.objects.get_primary_email(user)
    return primary or user.email


def send(address: str, template: str, context: Mapping[str, Any], *, language: str = "") -> None:
    """Send `mail/<template>` to one address, in `language` (blank: the one now active)."""
    with translation.override(language or translation.get_language() or settings.LANGUAGE_CODE):
        values = {"public_url": public_url(), **context}
        # A line break in a subject would start another header.
        subject = " ".join(_render(f"mail/{template}.subject.txt", values).split())
        body = _render(f"mail/{template}.txt", values).strip() + "\n"
    message = EmailMessage(subject, body, to=[address])
    transaction.on_commit(lambda: _deliver(message, template))


def _render(name: str, values: Mapping[str, Any]) -> str:
    # `get_template` returns the back end's wrapper, which would escape for HTML.
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context(dict(values), autoescape=False)))


def _deliver(message: EmailMessage, template: str) -> None:
    if settings.MAIL_IN_BACKGROUND:
        # The interpreter waits for these threads at its end, so a mail in hand is not lost with the worker.
        _postmen().submit(_send, message, template)
    else:
        _send(message, template)


@cache
def _postmen() -> ThreadPoolExecutor:
    # Made at the first mail, that is in the worker: threads do not survive a fork.
    return ThreadPoolExecutor(2, thread_name_prefix="mail")


def _send(message: EmailMessage, template: str) -> None:
    try:
        message.send()
    except OSError as exc:
        # smtplib's errors are OSErrors too. Neither address nor text belongs in a log.
        _log.warning("mail not sent", extra={"template": template, "reason": type(exc).__name__})


def public_url() -> str:
    """Return the server's address for links, without a slash at the end."""
    return str(settings.SEALSTEAD.public_url)
