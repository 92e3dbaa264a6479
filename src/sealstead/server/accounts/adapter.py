"""What allauth asks us about accounts: who may register, how attempts are limited, mails, and where links lead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts import limits, mail, temporary
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now, origin_of
from sealstead.server.accounts.reauth import recently_authenticated
from sealstead.server.accounts.signin import begin_attempt
from sealstead.server.audit import tags
from sealstead.server.audit.record import record

_WRONG_LOGIN = _("The user name, e-mail address or password is not correct.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    # Each text that a page of ours can reach: so they are in our catalogue, and so unknown accounts,
    # wrong passwords and both kinds of login share one.
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is disabled."),
        "cannot_remove_primary_email": _("You cannot remove your primary e-mail address."),
        "duplicate_email": _("This e-mail address is already one of yours."),
        "email_password_mismatch": _WRONG_LOGIN,
        "username_password_mismatch": _WRONG_LOGIN,
        "invalid_login": _WRONG_LOGIN,
        "enter_current_password": _("This is not your current password."),
        "incorrect_code": _("The code is not correct, or was used before."),
        "incorrect_password": _("The password is not correct."),
        "invalid_or_expired_key": _("The link is not valid, or its time is over."),
        "invalid_password_reset": _("The link is not valid, was used before, or its time is over."),
        "max_email_addresses": _("An account can have at most %d e-mail addresses."),
        "unverified_primary_email": _("Your primary e-mail address must be a confirmed one."),
        "username_blacklisted": _("This user name cannot be used."),
        "username_taken": _("This user name is taken."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SEALSTEAD.registration == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        # Never a forwarded header by itself: the origin knows which proxies to trust.
        return origin_of(request).ip or ""

    def is_ajax(self, request: HttpRequest) -> bool:
        # allauth's JSON answers are for scripts that we do not have.
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        at = now()
        login = credentials.get("username") or credentials.get("email") or ""
        attempt = begin_attempt(login, at=at, origin=origin_of(request))
        user: User | None = super().authenticate(request, **credentials)
        if user is None:
            attempt.failed(at=at)
        else:
            attempt.succeeded()
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        if not user.is_active:
            record(
                tags.SIGN_IN_REFUSED,
                at=now(),
                origin=origin_of(request),
                accepted=False,
                code="account-disabled",
                user_id=user.pk,
            )
        elif temporary.is_over(user, at=now()):
            record(
                tags.SIGN_IN_REFUSED,
                at=now(),
                origin=origin_of(request),
                accepted=False,
                code="temporary-password-over",
                user_id=user.pk,
            )
            # Said only to who has the password.
            messages.error(
                request,
                _("The time of your temporary password is over: ask an administrator for another one."),
            )
            return HttpResponseRedirect(reverse("account_login"))
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        # allauth does not count the sign-in itself as recent; ours does, on the server's clock.
        return not recently_authenticated(self.request)

    # Mails.

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = context.get("user")
        mail.send(email, _name_of(template_prefix), context, language=user.language if user else "")

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        address = email or mail.address_of(user)
        if address:
            values = {"user": user, **notice_context(self.request), **(context or {})}
            mail.send(address, _name_of(template_prefix), values, language=user.language)

    def should_send_confirmation_mail(
        self, request: HttpRequest, email_address: EmailAddress, signup: object
    ) -> bool:
        """Limit what one address is sent: an earlier link still works. Who signs in unverified asks for one each time."""
        at = now()
        address = email_address.email.lower()
        return (
            limits.hit(f"confirm-mail:soon:{address}", 1, timedelta(minutes=3), at).allowed
            and limits.hit(f"confirm-mail:day:{address}", 10, timedelta(days=1), at).allowed
        )

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return public_link(path.replace("UID-KEY", quote(key)))

    def get_email_confirmation_url(
        self, request: HttpRequest, emailconfirmation: EmailConfirmationHMAC
    ) -> str:
        return public_link(reverse("account_confirm_email", args=[emailconfirmation.key]))


def public_link(path: str) -> str:
    """Return the address of a page for a mail. Never from the request: whoever sends it chooses its Host."""
    return mail.public_url() + path


def notice_context(request: HttpRequest) -> dict[str, Any]:
    """What a mail about a change says of where it came from."""
    origin = origin_of(request)
    # A browser names itself as it likes; one line of it is enough.
    return {
        "at": now(),
        "ip": origin.ip or "",
        "user_agent": " ".join(origin.user_agent.split())[:120],
    }


def _name_of(template_prefix: str) -> str:
    return template_prefix.rpartition("/")[2]
