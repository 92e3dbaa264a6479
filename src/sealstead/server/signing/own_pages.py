"""`/manage/account/certificates/`: what somebody may sign with, by the names that commands take."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.signing.models import Certificate
from sealstead.server.signing.parts import file_of
from sealstead.server.signing.select import find_certificates
from sealstead.server.signing.show import shown


@never_cache
@login_required
@require_GET
def own_certificates(request: HttpRequest) -> HttpResponse:
    user, at = _user(request), now()
    found = [shown(row, at) for row in find_certificates(user, at=at) if not row.is_root]
    return render(request, "signing/own.html", {"certificates": found})


@never_cache
@login_required
@require_GET
def download(request: HttpRequest, certificate_id: UUID, part: str) -> HttpResponse:
    """Send a public part. Not granted answers like unknown."""
    user = _user(request)
    row = Certificate.objects.filter(pk=certificate_id).first()
    if row is None or not (user.is_superuser or row.grants.filter(user=user).exists()):
        raise Http404
    name, content = file_of(row, part)
    if not content:
        raise Http404
    answer = HttpResponse(content, content_type="application/x-pem-file")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - `login_required`; for the type checker
    return request.user
