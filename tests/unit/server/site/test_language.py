from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from tests.rows import make_user

from sealstead.server.site.language import AccountLanguageMiddleware, offered_languages


class _SignedIn:
    is_authenticated = True

    def __init__(self, language: str) -> None:
        self.language = language


def _language_for(user: Any, *, cookie: bool = True) -> str:
    request = RequestFactory().get("/")
    request.user = user
    if cookie:
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    seen: list[str] = []

    def view(_: HttpRequest) -> HttpResponse:
        seen.append(translation.get_language() or "")
        return HttpResponse()

    with translation.override("en"):
        AccountLanguageMiddleware(view)(request)
    return seen[0]


def test_account_language_wins() -> None:
    assert _language_for(_SignedIn("de")) == "de"


@pytest.mark.parametrize("language", ["", "tlh", "../../etc"])
def test_blank_or_unknown_account_language_changes_nothing(language: str) -> None:
    assert _language_for(_SignedIn(language)) == "en"


def test_visitors_keep_what_their_browser_asked_for() -> None:
    assert _language_for(AnonymousUser()) == "en"
    assert _language_for(_SignedIn("de"), cookie=False) == "en"


@pytest.mark.parametrize(
    ("header", "language", "direction"),
    [
        ("de-CH, en;q=0.5", "de", "ltr"),
        ("fr, en;q=0.5", "en", "ltr"),
        ("ar-xb", "ar-xb", "rtl"),
        ("en-xa", "en-xa", "ltr"),
        ("*", "en", "ltr"),
    ],
)
def test_accept_language(header: str, language: str, direction: str) -> None:
    answer = Client().get("/no-such-page", headers={"Accept-Language": header})
    assert f'<html lang="{language}" dir="{direction}">' in answer.content.decode()
    assert answer.headers["Content-Language"] == language


def test_chosen_language_is_remembered_and_beats_the_header() -> None:
    client = Client()
    answer = client.post("/language/", {"language": "de", "next": "/help/?a=b#c"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/help/?a=b#c"
    cookie = client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    page = client.get("/no-such-page", headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="de"' in page


def test_unknown_language_sets_nothing() -> None:
    client = Client()
    assert client.post("/language/", {"language": "tlh"}).status_code == 302
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "", "x"]
)
def test_redirect_stays_on_this_server(target: str) -> None:
    answer = Client().post("/language/", {"language": "de", "next": target})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_form_of_another_site_changes_nothing(headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/language/", {"language": "de"}, headers=headers).status_code == 403
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies


def test_own_form_needs_no_token() -> None:
    client = Client(enforce_csrf_checks=True)
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/language/", {"language": "de"}, headers=headers).status_code == 302
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"


def test_get_is_no_choice() -> None:
    assert Client().get("/language/?language=de").status_code == 405


def test_pseudo_languages_are_offered_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [language.code for language in offered_languages()] == ["en", "de"]
    monkeypatch.setattr(settings, "SHOW_PSEUDO_LANGUAGES", True)
    assert [language.code for language in offered_languages()] == ["en", "de", "en-xa", "ar-xb"]


@pytest.mark.django_db
def test_choice_of_somebody_signed_in_is_kept_with_the_account() -> None:
    user = make_user()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post("/language/", {"language": "de"})
    user.refresh_from_db()
    assert user.language == "de"
    del client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert '<html lang="de"' in client.get("/help/").content.decode()


@pytest.mark.django_db
def test_forged_choice_leaves_the_account_alone() -> None:
    user = make_user()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    headers = {"Origin": "https://evil.example"}
    assert client.post("/language/", {"language": "de"}, headers=headers).status_code == 403
    user.refresh_from_db()
    assert user.language == ""
