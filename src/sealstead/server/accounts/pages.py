"""The account settings page: name and language here, the rest from the registry of sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sealstead.server.accounts.mail_kinds import choose
from sealstead.server.accounts.models import User
from sealstead.server.accounts.sections import all_sections
from sealstead.server.accounts.sessions import end_sessions
from sealstead.server.site.language import offered_languages

if TYPE_CHECKING:  # Django's own class is not generic at run time
    _ProfileBase = forms.ModelForm[User]
else:
    _ProfileBase = forms.ModelForm


class ProfileForm(_ProfileBase):
    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of pages and mails. Without a choice, pages follow your browser."),
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "language")
        labels = {"first_name": gettext_lazy("Given name"), "last_name": gettext_lazy("Family name")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; for the type checker
        field.choices = [
            ("", gettext_lazy("As in the browser")),
            *((language.code, language.name) for language in offered_languages()),
        ]


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - `login_required`; for the type checker
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        return HttpResponseRedirect(reverse("manage_account"))
    sections = [
        {
            "slug": section.slug,
            "title": section.title,
            "body": render_to_string(section.template, section.context(request), request),
        }
        for section in all_sections()
    ]
    return render(request, "account/settings.html", {"form": form, "sections": sections})


@login_required
@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - `login_required`; for the type checker
    ended = end_sessions(request.user.pk, but=request.session.session_key)
    messages.success(
        request,
        ngettext("%(count)d other browser is signed out.", "%(count)d other browsers are signed out.", ended)
        % {"count": ended},
    )
    return HttpResponseRedirect(reverse("manage_account") + "#sessions")


@login_required
@require_POST
def choose_mails(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - `login_required`; for the type checker
    choose(request.user, request.POST.getlist("wanted"))
    messages.success(request, _("Your settings are saved."))
    return HttpResponseRedirect(reverse("manage_account") + "#mails")
