"""What is asked of every visitor: not to try too often, and to replace a temporary password first."""

from __future__ import annotations

import math
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from sealstead.server.accounts import temporary
from sealstead.server.accounts.limits import TooManyAttemptsError
from sealstead.server.accounts.models import User
from sealstead.server.accounts.origin import now
from sealstead.server.problem import API_PREFIXES, refusal


class TooManyAttemptsMiddleware:
    """429 with `Retry-After` (RFC 6585, section 4)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyAttemptsError):
            return None
        if request.path.startswith(API_PREFIXES):
            response = refusal(request, exception)
        else:
            response = render(request, "429.html", status=429)
        response["Retry-After"] = str(math.ceil(exception.retry_after.total_seconds()))
        return response


class TemporaryPasswordMiddleware:
    """Sends whoever came in with a temporary password to the page on which to change it, and out when its time is over."""

    _OPEN = frozenset(
        {"account_change_password", "account_logout", "static", "language", "csp-report", "help", "security"}
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        # Asked only of who sends a session: other answers must not vary with cookies for this.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or (
            match and match.url_name in {"static", "csp-report"}
        ):
            return None
        user = request.user
        if not isinstance(user, User) or not temporary.must_change(user):
            return None
        if temporary.is_over(user, at=now()):
            logout(request)
            messages.error(
                request,
                _("The time of your temporary password is over: ask an administrator for another one."),
            )
            return HttpResponseRedirect(reverse("account_login"))
        if match is not None and match.url_name in self._OPEN:
            return None
        return HttpResponseRedirect(reverse("account_change_password"))
