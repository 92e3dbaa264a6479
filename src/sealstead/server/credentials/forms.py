"""The forms of the token pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sealstead.lifecycle.policy import Policy
from sealstead.server.credentials.policy import default_life, default_overlap
from sealstead.server.credentials.projects import ProjectRef, project_directory
from sealstead.server.credentials.scope import MAX_NAME_CHARS

LIVES = (30, 90, 365)
"""Days offered; the policy may strike some out."""
OVERLAPS = (0, 1, 7, 30)


class ExpiryForm(forms.Form):
    """When a credential ends: one of the lives that the policy allows, a last day, or never."""

    expiry = forms.ChoiceField(error_messages={"required": gettext_lazy("Choose when it expires")})
    expires_on = forms.DateField(
        required=False,
        label=gettext_lazy("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        localize=False,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        policy: Policy,
        at: datetime,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self._at = at
        self._field("expiry").choices = expiry_choices(policy)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("expiry") == "custom" and not data.get("expires_on") and "expires_on" not in self.errors:
            self.add_error("expires_on", _("Pick the last day"))
        elif data.get("expiry") == "custom" and data.get("expires_on") and self._last_moment() <= self._at:
            self.add_error("expires_on", _("The expiry must be in the future"))
        return data

    def expires_at(self) -> datetime | None:
        """Return the moment chosen; the last day counts whole, in UTC."""
        choice = self.cleaned_data["expiry"]
        if choice == "never":
            return None
        if choice == "custom":
            return self._last_moment()
        return self._at + timedelta(days=int(choice))

    def _last_moment(self) -> datetime:
        # The calendar has no day after its last one.
        day = min(self.cleaned_data["expires_on"], date.max - timedelta(days=1))
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared so; for the type checker
        return field


class AddTokenForm(ExpiryForm):
    name = forms.CharField(
        max_length=MAX_NAME_CHARS,
        label=gettext_lazy("Token name"),
        help_text=gettext_lazy("What is this token for?"),
        error_messages={"required": gettext_lazy("Specify a token name")},
    )
    scope = forms.ChoiceField(
        required=False,
        choices=[
            ("projects", gettext_lazy("Only the projects picked below")),
            ("all", gettext_lazy("All your projects")),
        ],
    )
    projects = forms.MultipleChoiceField(
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Unknown or invalid project name: %(value)s")},
    )
    new_project = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("A project that does not exist yet"),
        help_text=gettext_lazy("It is created for you now, without releases; the first upload fills it."),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        projects: Sequence[ProjectRef],
        policy: Policy,
        at: datetime,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, policy=policy, at=at, initial=initial)
        self._owned = {one.id for one in projects}
        self._field("projects").choices = [(one.normalized_name, one.name) for one in projects]

    def clean_name(self) -> str:
        return visible_name(self.cleaned_data["name"])

    def clean_new_project(self) -> str:
        name: str = self.cleaned_data["new_project"]
        found = project_directory().find(name) if name else None
        if found is not None and found.id in self._owned:
            raise forms.ValidationError(_("You have this project already: pick it above."))
        return name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        picked = bool(data.get("projects") or data.get("new_project"))
        # Who picked projects and left the choice above open meant them: the narrow reading is the safe one.
        scope = data.get("scope") or ("projects" if picked else "")
        if "scope" not in self.errors and "projects" not in self.errors and "new_project" not in self.errors:
            if not scope:
                self.add_error("scope", _("Specify the token scope"))
            elif scope == "projects" and not picked:
                self.add_error("scope", _("Pick at least one project"))
            elif scope == "all" and picked:
                self.add_error("scope", _("You picked projects and also all projects: choose one of the two"))
        data["scope"] = scope
        return data


class RotateForm(forms.Form):
    overlap = forms.TypedChoiceField(coerce=int)
    idempotency_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, policy: Policy, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        field = self.fields["overlap"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; for the type checker
        field.choices = overlap_choices(policy)


def visible_name(text: str) -> str:
    """
    Raises:
        ValidationError: with characters that cannot be seen.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise forms.ValidationError(_("Use visible characters only"))
    return name


def expiry_choices(policy: Policy) -> list[tuple[str, str]]:
    longest = policy.longest_life
    days = [n for n in LIVES if longest is None or timedelta(days=n) <= longest]
    if default_life().days and default_life().days not in days:
        days = sorted([*days, default_life().days])
    choices = [(str(n), _days(n)) for n in days]
    choices.append(("custom", _("Until a day of your choice")))
    if policy.never_expires_allowed and longest is None:
        choices.append(("never", _("Never")))
    return choices


def overlap_choices(policy: Policy) -> list[tuple[str, str]]:
    days = {n for n in OVERLAPS if timedelta(days=n) <= policy.longest_overlap}
    days.add(default_overlap().days)
    return [(str(n), _days(n) if n else _("Not at all: the old one ends now")) for n in sorted(days)]


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
