"""The forms of the pages on which administrators look after accounts."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts.forms import MAX_EMAIL
from sealstead.server.accounts.names import MAX_LENGTH

_MAX_NAME = 150


class EditPersonForm(forms.Form):
    first_name = forms.CharField(required=False, max_length=_MAX_NAME, label=_("Given name"))
    last_name = forms.CharField(required=False, max_length=_MAX_NAME, label=_("Family name"))
    email = forms.EmailField(
        max_length=MAX_EMAIL,
        label=_("E-mail address"),
        help_text=_("It counts as confirmed: you vouch for it."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class AddPersonForm(EditPersonForm):
    username = forms.CharField(
        max_length=MAX_LENGTH,
        label=_("User name"),
        help_text=_("Letters, digits and . _ - between them. It cannot be changed."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    is_admin = forms.BooleanField(
        required=False,
        label=_("Administrator"),
        help_text=_("Looks after users, certificates and all projects, and may sign with every certificate."),
    )

    field_order = ("username", "first_name", "last_name", "email", "is_admin")


class ConfirmNameForm(forms.Form):
    """What cannot be taken back asks for the name."""

    confirm = forms.CharField(
        max_length=MAX_LENGTH,
        label=_("The user name, to confirm"),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: object, expected: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._expected = expected

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self._expected:
            raise forms.ValidationError(_("This is not the user name."))
        return typed
