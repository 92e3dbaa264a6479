"""The language of a page: the account's, else the visitor's cookie, else `Accept-Language`.

`LocaleMiddleware` has chosen by cookie and header when `AccountLanguageMiddleware` runs. The pseudo-locales are
never offered by the chooser unless SHOW_PSEUDO_LANGUAGES is set; header and cookie may name them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

PSEUDO_LANGUAGES = ("en-xa", "ar-xb")
_COOKIE_LIFE_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Language:
    code: str
    name: str
    """In the language itself."""


def offered_languages() -> list[Language]:
    return [
        Language(code=code, name=name)
        for code, name in settings.LANGUAGES
        if settings.SHOW_PSEUDO_LANGUAGES or code not in PSEUDO_LANGUAGES
    ]


class AccountLanguageMiddleware:
    """Speak the account's language to whoever is signed in. Runs after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session cookie nobody is signed in, and the page need not vary with cookies for this.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            chosen = request.user.language
            if chosen and chosen in dict(settings.LANGUAGES):
                translation.activate(chosen)
                request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        return self._get_response(request)


def _from_our_own_page(request: HttpRequest) -> bool:
    """Tell whether the browser says that the form stood on one of our pages.

    The chooser is on every page, and a CSRF token would set a cookie for every visitor of every page. All current
    browsers send Sec-Fetch-Site or Origin with a form; a client that sends neither is no browser that could be lured.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.get_host()


@csrf_exempt
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language: in a cookie, and with the account of whoever is signed in."""
    if not _from_our_own_page(request):
        raise PermissionDenied
    target = request.POST.get("next", "/")
    if not target.startswith("/") or not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = "/"
    response = HttpResponseRedirect(target)
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        user = request.user
        user.language = chosen
        user.save(update_fields=["language"])
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=_COOKIE_LIFE_SECONDS,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response
