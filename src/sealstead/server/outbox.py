"""Mails as files: what Sealstead does with mail while no mail server is set.

Each mail is one `.eml` file (0600) in `outbox/` of the data directory, whole or absent. It is never written to a log
or to stdout: a mail may hold a link that signs its reader in.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from sealstead.custody.files import make_private_directory, write_private


class OutboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        config = settings.SEALSTEAD
        directory = config.data_dir / "outbox"
        make_private_directory(directory)
        for message in email_messages:
            # The names sort by time; the random part keeps two of one moment apart.
            name = f"{config.clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
            write_private(directory / name, message.message().as_bytes(), replace=False)
        return len(email_messages)
