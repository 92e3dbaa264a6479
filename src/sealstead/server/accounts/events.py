"""What follows from a change of an account: its event, its mail, and the end of other sessions.

Connected to the signals of Django and allauth in `AccountsConfig.ready`.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from sealstead.server.accounts import mail, recovery, temporary, webauthn
from sealstead.server.accounts.adapter import notice_context
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now, origin_of
from sealstead.server.accounts.reauth import mark_recent
from sealstead.server.accounts.sessions import end_sessions
from sealstead.server.accounts.tidy import tidy
from sealstead.server.audit import tags
from sealstead.server.audit.record import record


def connect() -> None:
    for signal, receiver in (
        (account.user_signed_up, _signed_up),
        (user_logged_in, _proved),
        (account.user_logged_in, _signed_in),
        (account.authentication_step_completed, _step_completed),
        (user_logged_out, _signed_out),
        (account.password_changed, _password_changed),
        (account.password_set, _password_changed),
        (account.password_reset, _password_reset),
        (account.email_added, _email_added),
        (account.email_confirmed, _email_confirmed),
        (account.email_removed, _email_removed),
        (account.email_changed, _email_changed),
        (mfa.authenticator_added, _factor_added),
        (mfa.authenticator_removed, _factor_removed),
    ):
        signal.connect(receiver, dispatch_uid=f"sealstead.accounts.{receiver.__name__}")


def second_factor_refused(request: HttpRequest, user: User, code: str) -> None:
    _record(request, tags.SIGN_IN_REFUSED, user, accepted=False, code=code, details={"step": "second-factor"})
    if code == webauthn.ClonedKeyError.code:
        _notify(request, user, "security_key_cloned")


def recovery_code_used(request: HttpRequest, user: User) -> None:
    left = recovery.remaining(user)
    _record(request, tags.RECOVERY_CODE_USED, user, details={"left": left})
    _notify(request, user, "recovery_code_used", left=left)


def recovery_codes_issued(request: HttpRequest, user: User) -> None:
    _record(request, tags.RECOVERY_CODES_ISSUED, user)
    _notify(request, user, "recovery_codes_generated")


def _signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    _record(request, tags.ACCOUNT_CREATED, user)


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    _record(request, tags.SIGNED_IN, user)
    tidy(now())


def _proved(request: HttpRequest, **_: Any) -> None:
    mark_recent(request)


def _step_completed(request: HttpRequest, **facts: Any) -> None:
    if facts.get("reauthenticated"):
        mark_recent(request)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        _record(request, tags.SIGNED_OUT, user)


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    temporary.forget(user)
    _record(request, tags.PASSWORD_CHANGED, user)
    end_sessions(user.pk, but=request.session.session_key)


def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    temporary.forget(user)
    _record(request, tags.PASSWORD_CHANGED, user, details={"by": "mailed link"})
    end_sessions(user.pk)


def _email_added(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record(request, tags.EMAIL_ADDED, user, details={"email": email_address.email})
    _notify(request, user, "email_added", email=email_address.email)


def _email_confirmed(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    _record(request, tags.EMAIL_CONFIRMED, email_address.user, details={"email": email_address.email})


def _email_removed(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record(request, tags.EMAIL_REMOVED, user, details={"email": email_address.email})
    if email_address.verified:
        # The removed address hears of it too: whoever took the account over does not read that one.
        values = {"user": user, "deleted_email": email_address.email, **notice_context(request)}
        mail.send(email_address.email, "email_deleted", values, language=user.language)


def _email_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    before = from_email_address.email if from_email_address else ""
    _record(request, tags.EMAIL_CHANGED, user, details={"from": before, "to": to_email_address.email})
    # allauth tells the old address.
    values = {
        "user": user,
        "from_email": before,
        "to_email": to_email_address.email,
        **notice_context(request),
    }
    mail.send(to_email_address.email, "email_changed", values, language=user.language)


def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.WEBAUTHN:
        webauthn.remember_counter(authenticator)
    _record(request, tags.SECOND_FACTOR_ADDED, user, details={"kind": authenticator.type})


def _factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(request, tags.SECOND_FACTOR_REMOVED, user, details={"kind": authenticator.type})
    if not Authenticator.objects.filter(user=user).exists():
        # Recovery codes stand in for a second factor; without one they would only be spare passwords.
        recovery.remove_codes(user)


def _record(request: HttpRequest, tag: str, user: User, **facts: Any) -> None:
    record(
        tag,
        at=now(),
        origin=origin_of(request),
        actor_id=user.pk if facts.get("accepted", True) else None,
        actor_name=user.username,
        user_id=user.pk,
        **facts,
    )


def _notify(request: HttpRequest, user: User, template: str, **context: Any) -> None:
    mail.notify([user], template, {**notice_context(request), **context})
