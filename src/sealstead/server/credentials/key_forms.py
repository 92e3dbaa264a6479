"""The forms of the API key pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sealstead.errors import SealsteadError
from sealstead.server.credentials.change import Ended
from sealstead.server.credentials.forms import ExpiryForm, visible_name
from sealstead.server.credentials.key_scope import KeyScope, Role, key_scope, parse_rate
from sealstead.server.credentials.scope import MAX_NAME_CHARS

_MOST_TEXT = 10_000


class AddKeyForm(ExpiryForm):
    name = forms.CharField(
        max_length=MAX_NAME_CHARS,
        label=gettext_lazy("Name of the key"),
        help_text=gettext_lazy("Which system uses it? Give each system a key of its own."),
        error_messages={"required": gettext_lazy("Specify a name")},
    )
    roles = forms.MultipleChoiceField(
        choices=[
            (Role.STANDARD.value, gettext_lazy("Standard: signs with your certificates")),
            (Role.API_KEY_ROTATOR.value, gettext_lazy("ApiKeyRotator: may replace itself by a new key")),
        ],
        error_messages={"required": gettext_lazy("Choose at least one role")},
    )
    labels = forms.CharField(
        required=False,
        max_length=_MOST_TEXT,
        label=gettext_lazy("Only certificates with these labels"),
        help_text=gettext_lazy("One label a line. Left empty: all certificates that you may use."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    networks = forms.CharField(
        required=False,
        max_length=_MOST_TEXT,
        label=gettext_lazy("Only from these networks"),
        help_text=gettext_lazy(
            "One network a line, for example 192.0.2.0/24 or 2001:db8::/48. Left empty: from everywhere."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    rate = forms.CharField(
        required=False,
        max_length=20,
        label=gettext_lazy("At most so many requests"),
        help_text=gettext_lazy(
            "For example 60/m, 5/s or 1000/d. Every request with the key counts; a signing command makes one to find the "
            "certificate, and one for each 256 files. Left empty: no limit of its own."
        ),
    )

    def clean_name(self) -> str:
        return visible_name(self.cleaned_data["name"])

    def clean_labels(self) -> list[str]:
        labels = _lines(self.cleaned_data["labels"])
        _check(_("Labels have up to 100 visible characters; a key takes at most 50 of them."), labels=labels)
        return labels

    def clean_networks(self) -> list[str]:
        networks = _lines(self.cleaned_data["networks"])
        for network in networks:
            _check(_("This is not a network: %(text)s") % {"text": network[:60]}, networks=[network])
        _check(_("A key takes at most 50 networks."), networks=networks)
        return networks

    def clean_rate(self) -> str:
        rate: str = self.cleaned_data["rate"].strip()
        if rate:
            try:
                parse_rate(rate)
            except SealsteadError:
                raise forms.ValidationError(_("Write for example 60/m")) from None
        return rate

    def scope(self) -> KeyScope:
        data = self.cleaned_data
        return key_scope(
            roles=data["roles"], labels=data["labels"], networks=data["networks"], rate=data["rate"]
        )


class CleanUpForm(forms.Form):
    chosen = forms.MultipleChoiceField(
        error_messages={"required": gettext_lazy("Choose at least one of them")}
    )

    def __init__(self, data: QueryDict | None = None, *, counts: dict[Ended, int]) -> None:
        super().__init__(data, initial={"chosen": []})
        field = self.fields["chosen"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; for the type checker
        field.choices = [(why.value, f"{ENDED[why]} ({count})") for why, count in counts.items() if count]

    def picked(self) -> list[Ended]:
        return [Ended(why) for why in self.cleaned_data["chosen"]]


ENDED: dict[Ended, Any] = {
    Ended.EXPIRED: gettext_lazy("Expired"),
    Ended.REVOKED: gettext_lazy("Revoked"),
    Ended.SUPERSEDED: gettext_lazy("Replaced by a newer one"),
}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]


def _check(message: str, **narrowing: list[str]) -> None:
    try:
        key_scope(roles=[Role.STANDARD], **narrowing)  # type: ignore[arg-type]
    except SealsteadError:
        raise forms.ValidationError(message) from None
