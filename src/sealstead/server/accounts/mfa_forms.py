"""allauth's forms of second factors, with our storage of codes, our limits and the checks it leaves open."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from allauth.mfa.webauthn.internal import auth as webauthn_auth
from django import forms
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts import events, limits, totp, webauthn
from sealstead.server.accounts.email import has_verified_email
from sealstead.server.accounts.forms import Plain
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.accounts.second_factor import Kind, check_code, count_attempt

_NAME = 100


class _CodeForm(Plain, base_forms.BaseAuthenticateForm):  # type: ignore[misc]
    reauthenticated = False
    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label = _("Code")
        code.help_text = _("From your authenticator app, or one of your recovery codes.")
        code.widget.attrs |= {
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
        }

    def clean_code(self) -> str:
        request = context.request
        code: str = self.cleaned_data["code"]
        self.kind = check_code(self.user, code, at=now())
        if self.kind is None:
            events.second_factor_refused(request, self.user, "wrong-code")
            raise get_adapter().validation_error("incorrect_code")
        return code

    def save(self) -> None:
        request = context.request
        if self.kind is Kind.RECOVERY_CODE:
            extra = {"reauthenticated": True} if self.reauthenticated else {}
            record_authentication(request, self.user, "mfa", type=Kind.RECOVERY_CODE.value, **extra)
            events.recovery_code_used(request, self.user)
            return
        row = Authenticator.objects.get(user=self.user, type=Authenticator.Type.TOTP)
        post_authentication(request, row, reauthenticated=self.reauthenticated)


class AuthenticateForm(_CodeForm):
    """The second step of signing in."""


class ReauthenticateForm(_CodeForm):
    reauthenticated = True


class ActivateTOTPForm(Plain, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code shown by the app")
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code"}

    def clean_code(self) -> str:
        _require_confirmed_address(self.user)
        at = now()
        buckets = count_attempt(self.user, at=at)
        code: str = self.cleaned_data["code"]
        if not totp.use_code(self.user.pk, self.secret, code, at=at):
            raise get_adapter().validation_error("incorrect_code")
        for bucket in buckets:
            limits.forget(bucket)
        return code


class AddWebAuthnForm(Plain, webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound_name(self)

    def clean(self) -> dict[str, Any]:
        _require_confirmed_address(self.user)
        credential = self.cleaned_data.get("credential")
        if credential:
            try:
                webauthn.require_own_origin(webauthn_auth.parse_registration_response(credential))
            except (webauthn.ForeignOriginError, ValueError) as exc:
                raise get_adapter().validation_error("incorrect_code") from exc
        return super().clean() or {}


class EditWebAuthnForm(Plain, webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound_name(self)


class AuthenticateWebAuthnForm(webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Authenticator:
        request = context.request
        buckets = count_attempt(self.user, at=now())
        try:
            response = webauthn_auth.parse_authentication_response(self.cleaned_data["credential"])
            webauthn.require_own_origin(response)
            authenticator: Authenticator = super().clean_credential()
            webauthn.require_advanced_counter(authenticator, response)
        except (webauthn.ForeignOriginError, webauthn.ClonedKeyError) as exc:
            events.second_factor_refused(request, self.user, exc.code)
            raise get_adapter().validation_error("incorrect_code") from exc
        except forms.ValidationError:
            events.second_factor_refused(request, self.user, "wrong-security-key")
            raise
        for bucket in buckets:
            limits.forget(bucket)
        return authenticator


class ReauthenticateWebAuthnForm(AuthenticateWebAuthnForm):
    reauthenticated = True
    passwordless = False


def _bound_name(form: forms.Form) -> None:
    name = form.fields["name"]
    name.label = _("Name of the key")
    name.widget.attrs["maxlength"] = str(_NAME)
    assert isinstance(name, forms.CharField)  # noqa: S101 - declared by the parent; for the type checker
    name.max_length = _NAME


def _require_confirmed_address(user: User) -> None:
    # Else somebody could register with another's address and lock its owner out with a second factor.
    if not has_verified_email(user):
        raise get_adapter().validation_error("unverified_email")
