"""allauth's forms with our limits, our texts and bounded fields."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.core import context
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts import limits, temporary
from sealstead.server.accounts.models import User
from sealstead.server.accounts.names import MAX_LENGTH as MAX_NAME
from sealstead.server.accounts.origin import now, origin_of
from sealstead.server.accounts.passwords import MAX_LENGTH as MAX_PASSWORD

_HOUR = timedelta(hours=1)
MAX_EMAIL = 254


class Plain(forms.Form):
    """Labels instead of placeholders, which vanish while typing, and no field that takes megabytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            if isinstance(field, forms.CharField) and field.max_length is None:
                bound = MAX_PASSWORD if isinstance(field.widget, forms.PasswordInput) else MAX_EMAIL
                field.validators.append(MaxLengthValidator(bound))
                field.widget.attrs["maxlength"] = str(bound)


def limit(bucket: str, count: int, window: timedelta) -> None:
    """Count one attempt of the request being answered.

    Raises:
        TooManyAttemptsError
    """
    limits.hit(bucket, count, window, now()).require()


def limit_network(purpose: str, count: int, window: timedelta = _HOUR) -> None:
    limit(f"{purpose}:network:{limits.network_of(origin_of(context.request).ip)}", count, window)


class LoginForm(Plain, account_forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("User name or e-mail address")
        login.widget.attrs |= {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        password.label = _("Password")
        password.help_text = format_html(
            '<a href="{}">{}</a>', reverse("account_reset_password"), _("Forgot your password?")
        )

    @property
    def registration_open(self) -> bool:
        """For the page: whether to offer registering."""
        return bool(get_adapter().is_open_for_signup(self.request))


class SignupForm(Plain, account_forms.SignupForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].help_text = _("Letters, digits and . _ - between them. It cannot be changed.")
        self.fields["username"].widget.attrs["maxlength"] = str(MAX_NAME)
        self.fields["email"].label = _("E-mail address")
        self.fields["password1"].label = _("Password")

    def clean(self) -> dict[str, Any]:
        # Taken user names are told, as everywhere; the limit keeps that from listing them.
        limit_network("signup", 20)
        return super().clean() or {}

    def try_save(self, request: HttpRequest) -> Any:  # noqa: ANN401 - allauth's pair of user and response
        if self.account_already_exists:
            # As long as making an account takes: the time must not tell which addresses are known here.
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ResetPasswordForm(Plain, account_forms.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")

    def clean_email(self) -> str:
        limit_network("reset-password", 20)
        limit("reset-password:server", 1000, _HOUR)
        limit(f"reset-password:address:{self.cleaned_data['email'].lower()}", 5, _HOUR)
        email: str = super().clean_email()
        return email


class ResetPasswordKeyForm(Plain, account_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label_new_passwords(self)


class ChangePasswordForm(Plain, account_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["oldpassword"].help_text = ""
        _label_new_passwords(self)

    def clean_oldpassword(self) -> str:
        # Through the adapter, so that guessing here is limited and recorded like guessing at the door.
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        old, new = data.get("oldpassword", ""), data.get("password1", "")
        # An administrator has seen the temporary one: it must not stay.
        if old and temporary.must_change(self.user) and constant_time_compare(old, new):
            self.add_error("password1", _("Choose another password than the temporary one."))
        return data

    @property
    def temporary(self) -> bool:
        """For the page: whether nothing else is open until the password is changed."""
        return temporary.must_change(self.user)


class SetPasswordForm(Plain, account_forms.SetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label_new_passwords(self)


class ReauthenticateForm(Plain, account_forms.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""


class AddEmailForm(Plain, account_forms.AddEmailForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Another e-mail address")

    def clean_email(self) -> str:
        assert isinstance(self.user, User)  # noqa: S101 - the view gives it; for the type checker
        limit(f"add-email:{self.user.pk}", 10, _HOUR)
        email: str = super().clean_email()
        return email


def _label_new_passwords(form: forms.Form) -> None:
    form.fields["password1"].label = _("New password")
    form.fields["password2"].label = _("New password, again")
