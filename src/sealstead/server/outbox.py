"""Mails as files: what Sealstead does with mail while no mail server is set.

Each mail is one `.eml` file (0600) in `outbox/` of the data directory, whole or absent. It is never written to a log
or to stdout: a mail may hold a link that signs its reader in.
"""

from __future__ import annotations

import email.policy
import secrets
from collections.abc import Sequence

import django
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from sealstead.custody.files import make_private_directory, write_private

LONGEST_LINE = 998
"""RFC 5322, section 2.1.1. Beyond 78 the standard library would write quoted-printable, which breaks links."""


class OutboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        config = settings.SEALSTEAD
        directory = config.data_dir / "outbox"
        make_private_directory(directory)
        for message in email_messages:
            # The names sort by time; the random part keeps two of one moment apart.
            name = f"{config.clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
            write_private(directory / name, _written(message), replace=False)
        return len(email_messages)


def _written(message: EmailMessage) -> bytes:
    """Return the mail as text that an operator can read and copy a link from, whatever the length of its lines."""
    if django.VERSION >= (6, 0):
        policy = email.policy.default.clone(max_line_length=LONGEST_LINE, cte_type="8bit")
        return message.message(policy=policy).as_bytes()  # type: ignore[call-arg,unused-ignore]
    return message.message().as_bytes()  # Django 5.2 never breaks lines of text
