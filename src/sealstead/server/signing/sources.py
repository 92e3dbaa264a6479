"""The ways to put a signing key on the server, as the pages offer them: what each is for, its form, its verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.server.signing import create, forms
from sealstead.server.signing.create import By, Made, Named
from sealstead.server.signing.models import Profile


@dataclass(frozen=True, kw_only=True)
class Source:
    slug: str
    title: Promise
    explanation: Promise
    button: Promise
    form: type[forms.SourceForm]
    run: Callable[[Any, Named, By], Made]
    """With the valid form."""


def named(form: forms.SourceForm) -> Named:
    data = form.cleaned_data
    return Named(
        label=data["label"], alias=data["alias"], profile=Profile(data.get("profile", Profile.MINISIGN))
    )


def _test(form: forms.TestForm, name: Named, by: By) -> Made:
    data = form.cleaned_data
    life = timedelta(days=data["days"])
    return create.create_test(data["subject"], name, by, algorithm=data["algorithm"], life=life)


def _csr(form: forms.CsrForm, name: Named, by: By) -> Made:
    data = form.cleaned_data
    return create.request_certificate(data["subject"] or name.label, name, by, algorithm=data["algorithm"])


SOURCES: dict[str, Source] = {
    source.slug: source
    for source in (
        Source(
            slug="pfx",
            title=_("Import a PFX file"),
            explanation=_(
                "The key and its certificate are in a file (.pfx, .p12), for example exported from Windows."
            ),
            button=_("Import"),
            form=forms.PfxForm,
            run=lambda form, name, by: create.import_pfx(form.cleaned_data["file"], form.secret(), name, by),
        ),
        Source(
            slug="pem",
            title=_("Import a PEM file"),
            explanation=_("The key and its certificates are in a text file, as OpenSSL writes them."),
            button=_("Import"),
            form=forms.PemForm,
            run=lambda form, name, by: create.import_pem(form.cleaned_data["file"], form.secret(), name, by),
        ),
        Source(
            slug="csr",
            title=_("Make a key and a request"),
            explanation=_(
                "The key is made here and never leaves. You give the request to a certification authority, and load "
                "what it issues."
            ),
            button=_("Make key and request"),
            form=forms.CsrForm,
            run=_csr,
        ),
        Source(
            slug="test",
            title=_("Make a test certificate"),
            explanation=_(
                "Issued at once by this server's own test authority, to try things out. Nobody trusts it who was not "
                "told to."
            ),
            button=_("Make test certificate"),
            form=forms.TestForm,
            run=_test,
        ),
        Source(
            slug="minisign",
            title=_("Make a minisign key"),
            explanation=_("Signs any file (.minisig). It has no certificate: you publish its public key."),
            button=_("Make minisign key"),
            form=forms.MinisignForm,
            run=lambda _form, name, by: create.create_minisign(name, by),
        ),
    )
}
