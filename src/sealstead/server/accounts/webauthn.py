"""What allauth leaves open about security keys (WebAuthn level 2): exact origin, and the signature counter."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from sealstead.errors import VerificationError
from sealstead.server.accounts import mail
from sealstead.server.accounts.models import SignCounter


class ForeignOriginError(VerificationError):
    """A security key answered for another address than the server's."""

    code = "foreign-origin"


class ClonedKeyError(VerificationError):
    """The counter did not advance: the key's secret may exist twice."""

    code = "cloned-security-key"


def is_available() -> bool:
    """Tell whether browsers let keys be used here: on TLS or `localhost`, and not on a bare address (section 5.1.2)."""
    own = urlsplit(mail.public_url())
    host = own.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return own.scheme == "https" or host == "localhost"
    return False


def require_own_origin(response: AuthenticationResponse | RegistrationResponse) -> None:
    """Check the origin (section 7.2, step 13): the library accepts each subdomain and each port.

    Raises:
        ForeignOriginError
    """
    own = urlsplit(mail.public_url())
    if str(response.response.client_data.origin) != f"{own.scheme}://{own.netloc}":
        raise ForeignOriginError("the security key answered for another origin")


def require_advanced_counter(authenticator: Authenticator, response: AuthenticationResponse) -> None:
    """Check and store the signature counter (section 7.2, step 21), atomically.

    Keys without a counter send 0 for ever. Any other answer must be above the highest one seen.

    Raises:
        ClonedKeyError
    """
    shown = response.response.authenticator_data.counter
    if shown == 0 and not SignCounter.objects.filter(authenticator=authenticator, count__gt=0).exists():
        return
    if SignCounter.objects.filter(authenticator=authenticator, count__lt=shown).update(count=shown):
        return
    try:
        with transaction.atomic():
            SignCounter.objects.create(authenticator=authenticator, count=shown)
    except IntegrityError as exc:
        raise ClonedKeyError("the security key's counter did not advance") from exc


def remember_counter(authenticator: Authenticator) -> None:
    """Store the counter of a new key's registration."""
    data: Any = authenticator.wrap().authenticator_data
    SignCounter.objects.update_or_create(authenticator=authenticator, defaults={"count": data.counter})
