"""`/manage/server/certificates/`: administrators look after signing keys. For anybody else these pages do not exist.

Each view translates in, calls one verb, translates out. Private keys come in and never go out.
"""

from __future__ import annotations

from uuid import UUID

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sealstead.errors import SealsteadError
from sealstead.server.accounts.administrators import act_of, administrators_only
from sealstead.server.accounts.find import find_user
from sealstead.server.accounts.models import User
from sealstead.server.signing import manage
from sealstead.server.signing.actions import ACTIONS, Action, offered_for
from sealstead.server.signing.bounded_upload import small_secret_upload
from sealstead.server.signing.create import By, Made
from sealstead.server.signing.forms import ChainForm, ConfirmAliasForm, GrantForm, NamesForm, SourceForm
from sealstead.server.signing.models import Certificate, normalize_label
from sealstead.server.signing.names import MAX_LABEL, free_alias
from sealstead.server.signing.parts import request_text
from sealstead.server.signing.show import shown
from sealstead.server.signing.sources import SOURCES, Source, named
from sealstead.server.signing.texts import error_text, warning_text

PER_PAGE = 50
PEOPLE_OFFERED = 200
"""Names that a browser proposes; any other can be typed."""


def by_of(request: HttpRequest) -> By:
    act = act_of(request)
    return By(actor=act.actor, at=act.at, origin=act.origin)


@never_cache
@administrators_only
@require_GET
def certificates(request: HttpRequest) -> HttpResponse:
    # Nothing that cannot be typed: PostgreSQL takes no NUL, and no name has any.
    query = "".join(filter(str.isprintable, " ".join(request.GET.get("q", "").split())))[:100]
    rows = Certificate.objects.annotate(people=Count("grants")).order_by("is_root", "alias")
    if query:
        rows = rows.filter(
            Q(alias__icontains=query)
            | Q(label_key__contains=normalize_label(query))
            | Q(subject__icontains=query)
            | Q(thumbprint__icontains=query.replace(" ", "").replace(":", ""))
        )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    at = by_of(request).at
    return render(
        request,
        "signing/list.html",
        {
            "page": page,
            "certificates": [shown(row, at) for row in page],
            "query": query,
            "kept": urlencode({"q": query} if query else {}),
        },
    )


@never_cache
@administrators_only
@require_GET
def choose_source(request: HttpRequest) -> HttpResponse:
    return render(request, "signing/sources.html", {"sources": SOURCES.values(), "label": _label(request)})


@never_cache
@small_secret_upload
@sensitive_post_parameters("password")
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, source: str) -> HttpResponse:
    chosen = SOURCES.get(source)
    if chosen is None:
        raise Http404
    if request.method != "POST":
        return _add_page(request, chosen, chosen.form(initial={"label": _label(request)}))
    form = chosen.form(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = chosen.run(form, named(form), by_of(request))
        except SealsteadError as exc:
            form.add_error(_field_of(exc, form), error_text(exc))
        else:
            return _made(
                request, made, _("The certificate %(name)s is there. Now grant it to whoever signs with it.")
            )
    return _add_page(request, chosen, form, status=400)


@never_cache
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """Show one certificate; the form on it changes alias and label."""
    row = _get(certificate_id)
    if request.method != "POST":
        form = NamesForm(row=row, initial={"alias": row.alias, "label": row.label})
        return _certificate_page(request, row, names=form)
    form = NamesForm(request.POST, row=row)
    if form.is_valid():
        data = form.cleaned_data
        try:
            row = manage.rename(
                row,
                by_of(request),
                alias=data["alias"] or free_alias(row, data["label"]),
                label=data["label"],
            )
        except SealsteadError as exc:
            form.add_error(_field_of(exc, form), error_text(exc))
        else:
            messages.success(request, _("The certificate %(name)s is saved.") % {"name": row.alias})
            return HttpResponseRedirect(reverse("server-certificate", args=[row.pk]))
    return _certificate_page(request, row, names=form, status=400)


@never_cache
@small_secret_upload
@administrators_only
@require_POST
def load(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """Take the issued certificate for a key that waits for it."""
    row = _get(certificate_id)
    form = ChainForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = manage.load_certificate(row, form.cleaned_data["file"], by_of(request))
        except SealsteadError as exc:
            form.add_error("file", error_text(exc))
        else:
            return _made(request, made, _("The certificate %(name)s is loaded."))
    return _certificate_page(request, row, chain=form, status=400)


@never_cache
@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, certificate_id: UUID, action: str) -> HttpResponse:
    """Ask before a change of the certificate, and make it."""
    row, found = _get(certificate_id), ACTIONS.get(action)
    if found is None or not found.offered(row):
        raise Http404
    form = None
    if found.type_name:
        form = ConfirmAliasForm(request.POST if request.method == "POST" else None, expected=row.alias)
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return _confirm_page(request, row, found, form)
    try:
        found.run(row, by_of(request))
    except SealsteadError as exc:
        messages.error(request, error_text(exc))
    else:
        messages.success(request, found.done % {"name": row.alias})
    if found.type_name:
        return HttpResponseRedirect(reverse("server-certificates"))
    return HttpResponseRedirect(reverse("server-certificate", args=[row.pk]))


@never_cache
@administrators_only
@require_POST
def grant(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """Let one more account sign with it."""
    row = _grantable(certificate_id)
    form = GrantForm(request.POST)
    if form.is_valid():
        user = find_user(form.cleaned_data["username"])
        if user is not None:
            manage.grant(row, user, by_of(request))
            messages.success(request, _("%(name)s may sign with it.") % {"name": user.username})
            return HttpResponseRedirect(reverse("server-certificate", args=[row.pk]) + "#grants")
        form.add_error("username", _("There is no such account."))
    return _certificate_page(request, row, grants=form, status=400)


@never_cache
@administrators_only
@require_POST
def withdraw(request: HttpRequest, certificate_id: UUID, user_id: UUID) -> HttpResponse:
    row = _grantable(certificate_id)
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise Http404
    manage.withdraw(row, user, by_of(request))
    messages.success(request, _("%(name)s may not sign with it any more.") % {"name": user.username})
    return HttpResponseRedirect(reverse("server-certificate", args=[row.pk]) + "#grants")


def _label(request: HttpRequest) -> str:
    """Return the label that the renewal of another certificate is to have, if one was named."""
    return request.GET.get("label", "")[:MAX_LABEL]


def _get(certificate_id: UUID) -> Certificate:
    row = Certificate.objects.filter(pk=certificate_id).first()
    if row is None:
        raise Http404
    return row


def _grantable(certificate_id: UUID) -> Certificate:
    row = _get(certificate_id)
    if row.is_root:
        raise Http404
    return row


def _made(request: HttpRequest, made: Made, done: str) -> HttpResponse:
    messages.success(request, done % {"name": made.row.alias})
    for warning in made.warnings:
        messages.warning(request, warning_text(warning))
    return HttpResponseRedirect(reverse("server-certificate", args=[made.row.pk]))


def _add_page(request: HttpRequest, source: Source, form: SourceForm, *, status: int = 200) -> HttpResponse:
    return render(request, "signing/add.html", {"source": source, "form": form}, status=status)


def _certificate_page(
    request: HttpRequest,
    row: Certificate,
    *,
    names: NamesForm | None = None,
    chain: ChainForm | None = None,
    grants: GrantForm | None = None,
    status: int = 200,
) -> HttpResponse:
    granted = list(row.grants.select_related("user").order_by("user__username"))
    held = {one.user_id for one in granted}
    people = User.objects.filter(is_active=True, is_superuser=False).exclude(pk__in=held).order_by("username")
    context = {
        "one": shown(row, by_of(request).at),
        "names": names or NamesForm(row=row, initial={"alias": row.alias, "label": row.label}),
        "chain": chain or ChainForm(),
        "grant_form": grants or GrantForm(),
        "granted": granted,
        "people": people.values_list("username", flat=True)[:PEOPLE_OFFERED],
        "actions": offered_for(row),
        "request_text": request_text(row),
    }
    return render(request, "signing/certificate.html", context, status=status)


def _confirm_page(
    request: HttpRequest, row: Certificate, action: Action, form: django_forms.Form | None
) -> HttpResponse:
    context = {
        "row": row,
        "action": action,
        "question": action.question % {"name": row.alias},
        "form": form,
        "people": row.grants.count(),
    }
    return render(request, "signing/confirm.html", context, status=400 if form and form.errors else 200)


def _field_of(exc: SealsteadError, form: django_forms.Form) -> str | None:
    field = {
        "alias-in-use": "alias",
        "invalid-certificate-name": "alias",
        "invalid-subject": "subject",
        "key-not-for-profile": "profile",
        "key-bound-to-profile": "profile",
        "wrong-key-file-password": "password",
    }.get(exc.code, "file")
    return field if field in form.fields else None
