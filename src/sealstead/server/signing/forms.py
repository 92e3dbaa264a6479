"""The forms of the certificate pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sealstead.custody.key_import import MAX_BYTES
from sealstead.secret import Secret
from sealstead.server.accounts.names import MAX_LENGTH as MAX_USER_NAME
from sealstead.server.signing.create import DEFAULT_ALGORITHM
from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.names import MAX_ALIAS, MAX_LABEL, sharing_label
from sealstead.server.signing.show import PROFILES

ALGORITHMS = ("RSA-3072", "RSA-4096", "P-256", "P-384")
LIVES = (30, 365, 1095)
_MAX_PASSWORD = 1000
_MAX_SUBJECT = 1000


class SmallFile(forms.FileField):
    """A file that `custody` reads: small, and never kept as a file."""

    def clean(self, data: Any, initial: Any = None) -> bytes:  # noqa: ANN401 - Django's signature
        found = super().clean(data, initial)
        if found.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        content: bytes = found.read()
        return content


class NamesForm(forms.Form):
    """Alias and label. A label that others have needs a second look: `shared` then lists them, and `share` confirms."""

    label = forms.CharField(
        required=False,
        max_length=MAX_LABEL,
        label=gettext_lazy("Label"),
        help_text=gettext_lazy(
            "What scripts name it by, whatever its case. A renewed certificate gets the label of the old one."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    alias = forms.CharField(
        required=False,
        max_length=MAX_ALIAS,
        label=gettext_lazy("Alias"),
        help_text=gettext_lazy(
            "Its own name on these pages. Blank: the name and last day of the certificate."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    share = forms.BooleanField(required=False, label=gettext_lazy("Yes, share the label"))

    def __init__(self, *args: Any, row: Certificate | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._row = row or Certificate()
        self._label_before = self._row.label_key
        self.shared: list[Certificate] = []
        self.fields["share"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        others = [one for one in sharing_label(self._row, data.get("label", "")) if not one.is_root]
        changed = bool(others) and others[0].label_key != self._label_before
        if changed and not data.get("share"):
            self.shared = others
            self.fields["share"].widget = forms.CheckboxInput()
            self.add_error("share", _("Other certificates have this label: confirm that it is meant."))
        return data


class SourceForm(NamesForm):
    """What every new certificate is asked: its names, and for what it signs, for ever."""

    profile = forms.ChoiceField(
        label=gettext_lazy("Signs"),
        choices=[(name, PROFILES[name]) for name in (Profile.AUTHENTICODE, Profile.CMS_DETACHED)],
        initial=Profile.AUTHENTICODE,
        help_text=gettext_lazy("The key makes these signatures and no others; this cannot be changed."),
    )
    enctype = "application/x-www-form-urlencoded"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].required = True


class FileSourceForm(SourceForm):
    file = SmallFile(allow_empty_file=False)
    password = forms.CharField(
        required=False,
        strip=False,
        max_length=_MAX_PASSWORD,
        label=gettext_lazy("Password of the file"),
        help_text=gettext_lazy("It is used now and not kept."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    enctype = "multipart/form-data"

    field_order: tuple[str, ...] = ("file", "password", "label", "share", "alias", "profile")

    def secret(self) -> Secret[str] | None:
        typed: str = self.cleaned_data["password"]
        return Secret(typed) if typed else None


class PfxForm(FileSourceForm):
    file = SmallFile(
        label=gettext_lazy("PFX file"),
        help_text=gettext_lazy("PKCS#12 with the private key, its certificate and those that issued it."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pfx,.p12"}),
    )


class PemForm(FileSourceForm):
    file = SmallFile(
        label=gettext_lazy("PEM file"),
        help_text=gettext_lazy("One private key, its certificate and those that issued it, in any order."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pem,.key,.crt"}),
    )


class _MadeHereForm(SourceForm):
    subject = forms.CharField(
        required=False,
        max_length=_MAX_SUBJECT,
        label=gettext_lazy("Subject"),
        help_text=gettext_lazy("For example CN=Harbour Ltd,O=Harbour Ltd,C=SE, or a name. Blank: the label."),
    )
    algorithm = forms.ChoiceField(
        label=gettext_lazy("Key"),
        choices=[(name, name) for name in ALGORITHMS],
        initial=DEFAULT_ALGORITHM,
    )

    field_order: tuple[str, ...] = ("label", "share", "alias", "subject", "algorithm", "profile")


class CsrForm(_MadeHereForm):
    pass


class TestForm(_MadeHereForm):
    days = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Valid for"), initial=365)

    field_order: tuple[str, ...] = (
        "label",
        "share",
        "alias",
        "subject",
        "algorithm",
        "days",
        "profile",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["days"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; for the type checker
        field.choices = [
            (days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days}) for days in LIVES
        ]


class MinisignForm(SourceForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["profile"]


class ChainForm(forms.Form):
    file = SmallFile(
        label=gettext_lazy("Issued certificate"),
        help_text=gettext_lazy(
            "PEM with the certificate and those that issued it, or DER of the certificate alone."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".pem,.crt,.cer,.der,.p7b"}),
    )


class GrantForm(forms.Form):
    username = forms.CharField(
        max_length=MAX_USER_NAME + 200,
        label=gettext_lazy("User name or e-mail address"),
        widget=forms.TextInput(
            attrs={
                "list": "people",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )


class ConfirmAliasForm(forms.Form):
    """What cannot be taken back asks for the name."""

    confirm = forms.CharField(
        max_length=MAX_ALIAS,
        label=gettext_lazy("The alias, to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self._expected:
            raise forms.ValidationError(_("This is not the alias."))
        return typed
