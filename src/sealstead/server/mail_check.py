"""`sealstead admin test-mail`: one mail through the same way as every other."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from sealstead.errors import InputError, UpstreamError


class InvalidAddressError(InputError):
    """This is no e-mail address."""

    code = "invalid-address"


class MailServerError(UpstreamError):
    """The mail server cannot be reached, or refuses the mail."""

    code = "mail-server"


def send_test_mail(address: str) -> str:
    """Send a mail to `address` and return what took it: `outbox`, or the mail server's name and port.

    Raises:
        InvalidAddressError: no e-mail address.
        MailServerError: the mail server cannot be reached, or refuses.
    """
    config = settings.SEALSTEAD
    try:
        validate_email(address)
    except ValidationError as exc:
        raise InvalidAddressError(f"{address[:80]!r} is not an e-mail address") from exc
    message = EmailMessage(
        f"Test mail from {config.site_name}",
        f"This mail was asked for by the operator of {config.public_url}.\n",
        to=[address],
    )
    via = f"{config.smtp_host}:{config.smtp_port}" if config.smtp_host else "outbox"
    try:
        message.send()
    except (SMTPException, OSError) as exc:
        # The type names the cause; an answer of the server may quote the sign-in.
        code = getattr(exc, "smtp_code", None)
        raise MailServerError(
            f"{via} did not take the mail: {type(exc).__name__}{f' ({code})' if code else ''}",
            hint="check smtp_host, smtp_port, smtp_security, smtp_user, smtp_password and mail_from",
        ) from None
    return via
