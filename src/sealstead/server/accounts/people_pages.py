"""`/manage/server/users/`: administrators look after accounts. Each view translates in, calls one verb, translates out.

For anybody else these pages do not exist. A temporary password stands in the answer to the POST that made it, and
nowhere else; no cache may keep it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from sealstead.errors import SealsteadError
from sealstead.secret import Secret
from sealstead.server.accounts import administer, mail
from sealstead.server.accounts.administrators import act_of, administrators_only
from sealstead.server.accounts.models import User
from sealstead.server.accounts.people import SORTS, STATES, find_people
from sealstead.server.accounts.people_actions import ACTIONS, Action, offered_to
from sealstead.server.accounts.people_forms import AddPersonForm, ConfirmNameForm, EditPersonForm
from sealstead.server.accounts.people_texts import error_text
from sealstead.server.accounts.sections import person_sections

PER_PAGE = 50


@never_cache
@administrators_only
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    # Nothing that cannot be typed: PostgreSQL takes no NUL, and no name has any.
    query = "".join(filter(str.isprintable, " ".join(request.GET.get("q", "").split())))[:100]
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    sort = request.GET.get("sort", "")
    descending, sort = sort.startswith("-"), sort.removeprefix("-")
    sort = sort if sort in SORTS else "username"
    rows = find_people(query=query, state=state, sort=sort, descending=descending)
    kept = {name: value for name, value in (("q", query), ("state", state)) if value}
    return render(
        request,
        "account/people/list.html",
        {
            "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
            "query": query,
            "state": state,
            "sort": sort,
            "descending": descending,
            "columns": _columns(sort, descending=descending, kept=kept),
            "kept": urlencode({**kept, "sort": f"-{sort}" if descending else sort}),
        },
    )


@never_cache
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = AddPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            user, password = administer.create(act_of(request), **form.cleaned_data)
        except SealsteadError as exc:
            form.add_error(_field_of(exc), error_text(exc))
        else:
            return _password_page(request, user, password, created=True)
    return render(request, "account/people/add.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show one account; the form on it changes names and address."""
    user = _get(user_id)
    if request.method != "POST":
        initial = {
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": mail.address_of(user),
        }
        return _person_page(request, user, EditPersonForm(initial=initial))
    form = EditPersonForm(request.POST)
    if form.is_valid():
        try:
            administer.edit(act_of(request), user.pk, **form.cleaned_data)
        except SealsteadError as exc:
            form.add_error(_field_of(exc), error_text(exc))
        else:
            messages.success(request, _("The account of %(name)s is saved.") % {"name": user.username})
            return HttpResponseRedirect(reverse("server-user", args=[user.pk]))
    return _person_page(request, user, form, status=400)


@never_cache
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, user_id: UUID, action: str) -> HttpResponse:
    """Ask before a change of the account, and make it."""
    user, found = _get(user_id), ACTIONS.get(action)
    if found is None:
        raise Http404
    form = None
    if found.type_name:
        form = ConfirmNameForm(request.POST if request.method == "POST" else None, expected=user.username)
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return _confirm_page(request, user, found, form, status=400 if form and form.errors else 200)
    try:
        changed, password = found.run(act_of(request), user.pk)
    except SealsteadError as exc:
        messages.error(request, error_text(exc))
        return HttpResponseRedirect(reverse("server-user", args=[user.pk]))
    if changed is not None and password is not None:
        return _password_page(request, changed, password, created=False)
    messages.success(request, found.done % {"name": user.username})
    if changed is None:
        return HttpResponseRedirect(reverse("server-users"))
    return HttpResponseRedirect(reverse("server-user", args=[user.pk]))


def _get(user_id: UUID) -> User:
    user = find_people().filter(pk=user_id).first()
    if user is None:
        raise Http404
    return user


def _columns(sort: str, *, descending: bool, kept: dict[str, str]) -> list[dict[str, Any]]:
    """Return the headings; a click sorts by one, a second click the other way round."""
    texts = {
        "username": _("User name"),
        "name": _("Name"),
        "email": _("E-mail address"),
        "created": _("Created"),
        "seen": _("Last sign-in"),
    }
    return [
        {
            "text": text,
            "order": ("descending" if descending else "ascending") if key == sort else "",
            "link": "?" + urlencode({**kept, "sort": f"-{key}" if key == sort and not descending else key}),
        }
        for key, text in texts.items()
    ]


def _person_page(
    request: HttpRequest, user: User, form: EditPersonForm, *, status: int = 200
) -> HttpResponse:
    act = act_of(request)
    sections = [
        {
            "slug": section.slug,
            "title": section.title,
            "body": render_to_string(section.template, section.context(request, user), request),
        }
        for section in person_sections()
    ]
    context = {
        "person": user,
        "form": form,
        "actions": offered_to(act.actor, user),
        "own": act.actor.pk == user.pk,
        "sections": sections,
    }
    return render(request, "account/people/person.html", context, status=status)


def _confirm_page(
    request: HttpRequest, user: User, action: Action, form: forms.Form | None, *, status: int
) -> HttpResponse:
    context = {
        "person": user,
        "action": action,
        "question": action.question % {"name": user.username},
        "form": form,
        "needed": administer.needed_by(user)[:20] if action.type_name else [],
    }
    return render(request, "account/people/confirm.html", context, status=status)


@sensitive_variables("password")
def _password_page(request: HttpRequest, user: User, password: Secret[str], *, created: bool) -> HttpResponse:
    context = {
        "person": user,
        "password": password.reveal(),
        "created": created,
        "sign_in_url": mail.public_url() + reverse("account_login"),
    }
    return render(request, "account/people/password.html", context)


def _field_of(exc: SealsteadError) -> str | None:
    return {
        "bad-user-name": "username",
        "user-name-taken": "username",
        "bad-email": "email",
        "email-taken": "email",
    }.get(exc.code)
