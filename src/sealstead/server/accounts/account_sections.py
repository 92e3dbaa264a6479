"""The sections of the settings page that accounts themselves bring: addresses, password, second factors, sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts import recovery, webauthn
from sealstead.server.accounts.mail_kinds import TEXTS, kinds_for, wants
from sealstead.server.accounts.models import Session, User
from sealstead.server.accounts.origin import now
from sealstead.server.accounts.sections import register


def register_all() -> None:
    register("email", _("E-mail addresses"), "account/section_email.html", _email, order=100)
    register("password", _("Password"), "account/section_password.html", lambda _request: {}, order=110)
    register(
        "second-factor", _("Two-factor authentication"), "account/section_mfa.html", _second_factor, order=120
    )
    register("sessions", _("Where you are signed in"), "account/section_sessions.html", _sessions, order=130)
    register("mails", _("Mails"), "account/section_mails.html", _mails, order=140)


def second_factors(user: User) -> dict[str, Any]:
    """Return what a page says about the second factors of `user`."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    return {
        "app": next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        "keys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        "enabled": bool(rows),
        "codes_left": recovery.remaining(user),
        "keys_possible": webauthn.is_available(),
    }


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the page requires sign-in; for the type checker
    return request.user


def _email(request: HttpRequest) -> dict[str, Any]:
    return {"addresses": EmailAddress.objects.filter(user=_user(request)).order_by("-primary", "email")}


def _second_factor(request: HttpRequest) -> dict[str, Any]:
    return second_factors(_user(request))


def _sessions(request: HttpRequest) -> dict[str, Any]:
    rows = Session.objects.filter(user=_user(request), expires_at__gt=now())
    return {"others": rows.count() - 1}


def _mails(request: HttpRequest) -> dict[str, Any]:
    user = _user(request)
    return {"kinds": [(kind.value, TEXTS[kind], wants(user, kind)) for kind in kinds_for(user)]}
