"""What allauth asks us about second factors: how secrets are sealed, and who the server is for a security key."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts import mail, totp
from sealstead.server.accounts.models import User


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _("You cannot remove this second factor."),
        "incorrect_code": _("The code is not correct, or was used before."),
        "unverified_email": _("First confirm your e-mail address."),
    }

    def get_totp_issuer(self) -> str:
        return urlsplit(mail.public_url()).hostname or "Sealstead"

    def get_totp_label(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        # allauth seals only when the signed-in user sets up an app of their own.
        return totp.seal_secret(context.request.user.pk, text)

    def decrypt(self, encrypted_text: str) -> str:
        # Without the account it is not known what the secret was sealed for; `second_factor.py` opens it.
        raise NotImplementedError

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - the parent's
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Security key %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        # From the operator's settings: what a request says about the host is the visitor's choice.
        host = urlsplit(mail.public_url()).hostname or "localhost"
        return {"id": host, "name": "Sealstead"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, str | bytes]:
        return {"id": user.pk.bytes, "display_name": user.username, "name": user.username}
