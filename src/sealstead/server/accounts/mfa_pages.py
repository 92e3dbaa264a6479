"""Pages of second factors that allauth has not: recovery codes that are shown once."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sealstead.server.accounts import events, recovery
from sealstead.server.accounts.account_sections import second_factors
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.accounts.reauth import recent_auth_required


@never_cache
@recent_auth_required
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """GET tells how many are left; POST makes new ones and shows them in its answer, the only place they ever stand."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - `recent_auth_required`; for the type checker
    if not Authenticator.objects.filter(user=user).exists():
        return HttpResponseRedirect(reverse("mfa_index"))
    codes: list[str] = []
    if request.method == "POST":
        codes = recovery.issue_codes(user, at=now())
        events.recovery_codes_issued(request, user)
    context = {"codes": codes, "left": recovery.remaining(user), "total": recovery.COUNT}
    return render(request, "mfa/recovery_codes.html", context)


class _ThenRecoveryCodes:
    """After the first second factor comes the page of recovery codes: without them, a lost phone is a lost account."""

    request: HttpRequest

    def get_success_url(self) -> str:
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101 - both views require sign-in; for the type checker
        return reverse("mfa_index" if recovery.remaining(user) else "mfa_recovery_codes")


class _ActivateTOTP(_ThenRecoveryCodes, ActivateTOTPView):  # type: ignore[misc]
    pass


class _AddWebAuthn(_ThenRecoveryCodes, AddWebAuthnView):  # type: ignore[misc]
    pass


class _Index(base.IndexView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101 - the view requires sign-in; for the type checker
        return {**super().get_context_data(**kwargs), **second_factors(user)}


class _Authenticate(base.AuthenticateView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.stage.login.user
        has_key = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()
        return {**super().get_context_data(**kwargs), "has_key": has_key}


index = never_cache(_Index.as_view())
authenticate = base.login_stage_required(stage=base.AuthenticateStage.key, redirect_urlname="account_login")(
    _Authenticate.as_view()
)
activate_totp = never_cache(_ActivateTOTP.as_view())
add_webauthn = never_cache(_AddWebAuthn.as_view())
