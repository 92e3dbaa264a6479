"""The certificates of one account, on the page on which administrators see it: grants from the other side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sealstead.server.accounts.administrators import administrators_only
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.signing import manage
from sealstead.server.signing.models import Certificate
from sealstead.server.signing.pages import by_of
from sealstead.server.signing.show import shown


def person_context(_request: HttpRequest, user: User) -> dict[str, Any]:
    at = now()
    held = set(user.certificate_grants.values_list("certificate_id", flat=True))
    rows = [
        {"one": shown(row, at), "granted": row.pk in held}
        for row in Certificate.objects.filter(is_root=False).order_by("alias")
    ]
    return {"person": user, "rows": rows, "many": len(rows) > 12}  # noqa: PLR2004 - then the list scrolls


@never_cache
@administrators_only
@require_POST
def set_certificates(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Grant exactly the ticked certificates."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise Http404
    wanted = set(request.POST.getlist("certificate"))
    # What was made while the page was open was not on it: neither granted nor withdrawn here.
    seen = set(request.POST.getlist("shown"))
    held = {str(pk) for pk in user.certificate_grants.values_list("certificate_id", flat=True)}
    rows = [
        row
        for row in Certificate.objects.filter(is_root=False)
        if (str(row.pk) in wanted if str(row.pk) in seen else str(row.pk) in held)
    ]
    manage.set_certificates_of(user, rows, by_of(request))
    messages.success(request, _("The certificates of %(name)s are saved.") % {"name": user.username})
    return HttpResponseRedirect(reverse("server-user", args=[user.pk]) + "#certificates")
