"""Walk every page in a pseudo-locale: a word in plain letters was never given to gettext.

A route that is neither a page of `PAGES` nor named in `NOT_PAGES` fails, so that no page is forgotten. Forms are
sent empty as well, for their errors are texts too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation
from tests.languages.visible import untranslated
from tests.rows import make_project, make_release, make_user

from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db

# Words that are the same everywhere: names of products, formats and tools.
NAMES = (
    "Sealstead",
    "twine",
    "uv",
    "keyring",
    ".pypirc",
    "GitHub Actions",
    "GitLab CI",
    "UTC",
    "English",
    "Deutsch",
)
PROJECT, VERSION = "walked-project", "1.0"
FILE = f"{PROJECT}-{VERSION}-0-py3-none-any.whl"

PROJECT_ARGS = {"name": PROJECT}
RELEASE_ARGS = {"name": PROJECT, "version": VERSION}
PAGES: dict[str, dict[str, object]] = {
    "account-events": {},
    "account_login": {},
    "account_logout": {},
    "account_inactive": {},
    "account_signup": {},
    "account_reauthenticate": {},
    "account_email": {},
    "account_email_verification_sent": {},
    "account_change_password": {},
    "account_reset_password": {},
    "account_reset_password_from_key_done": {},
    "account_reset_password_done": {},
    "account_confirm_email": {"key": "unknown"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "unknown"},
    "mfa_index": {},
    "mfa_reauthenticate": {},
    "mfa_activate_totp": {},
    "mfa_view_recovery_codes": {},
    "mfa_generate_recovery_codes": {},
    "manage_account": {},
    "help": {},
    "security": {},
    "manage-projects": {},
    "manage-releases": PROJECT_ARGS,
    "manage-release": RELEASE_ARGS,
    "manage-release-delete": RELEASE_ARGS,
    "manage-file-delete": {**RELEASE_ARGS, "filename": FILE},
    "manage-members": PROJECT_ARGS,
    "manage-settings": PROJECT_ARGS,
    "manage-state": {**PROJECT_ARGS, "state": "archived"},
    "manage-project-delete": PROJECT_ARGS,
}
NOT_PAGES = {
    # Only forms are sent here; the answer is a redirect or a page above.
    "answer-invitation",
    "manage-invite",
    "manage-withdraw",
    "manage-role",
    "language",
    # Need a state that this walk does not make; their own tests do.
    "account_set_password",
    "account_confirm_login_code",
    "manage-remove",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    # For programs.
    "static",
    "csp-report",
    "security-txt",
    "mfa_download_recovery_codes",
    "legacy-upload",
    "simple-list",
}


def _routes(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry)
        else:
            yield entry


def test_every_route_is_walked_or_excused() -> None:
    names = {route.name for route in _routes(get_resolver()) if route.name}
    assert names <= set(PAGES) | NOT_PAGES


@dataclass(frozen=True, kw_only=True)
class Visitor:
    client: Client
    user: User

    def data(self) -> list[str]:
        return [self.user.username, self.user.email, PROJECT, FILE, "other-member", *NAMES]


@pytest.fixture(params=["en-xa", "ar-xb"])
def visitor(request: pytest.FixtureRequest) -> Iterator[Visitor]:
    user = make_user(f"walker-{uuid.uuid4().hex[:8]}")
    other = make_user("other-member")
    project = make_project(PROJECT, owner=user, maintainers=(other,))
    make_release(project, VERSION)
    client = Client(headers={"Accept-Language": request.param})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    # Signed in a moment ago, for pages that ask for that; the form would cost a password hash each time.
    now = settings.SEALSTEAD.clock.now().timestamp()
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": now, "username": user.username}]
    session["recent_auth_at"] = now
    session.save()
    yield Visitor(client=client, user=user)
    translation.deactivate()


def _is_page(answer: HttpResponse) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html") and bool(answer.content)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_translated(name: str, visitor: Visitor) -> None:
    known = {route.name for route in _routes(get_resolver())}
    if name not in known:
        pytest.fail(f"no route is named {name}; take it out of PAGES")
    address = reverse(name, kwargs=PAGES[name])
    guest = Client(headers={"Accept-Language": visitor.client.defaults["HTTP_ACCEPT_LANGUAGE"]})
    seen = 0
    for client in (visitor.client, guest):
        for answer in (client.get(address), client.post(address, {"action": ""})):
            if not _is_page(answer) or answer.status_code in (405, 500):
                assert answer.status_code != 500
                continue
            seen += 1
            left = untranslated(answer.content.decode(), visitor.data())
            assert not left, f"{address}: {left}"
    assert seen, f"{address} showed no page to anybody"


@pytest.mark.parametrize("language", ["en-xa", "ar-xb"])
def test_error_pages_are_translated(language: str) -> None:
    client = Client(
        headers={"Accept-Language": language}, enforce_csrf_checks=True, raise_request_exception=False
    )
    for answer in (
        client.get("/no-such-page"),
        client.post(reverse("account_login"), {}),
        client.post("/language/", headers={"Origin": "https://elsewhere.example"}),
        client.get("/", headers={"Host": "not a host"}),
    ):
        assert answer.status_code >= 400
        assert not untranslated(answer.content.decode(), NAMES), answer.status_code


def test_the_walk_would_notice() -> None:
    page = '<p>⟦ðö⟧ left</p><code>fine</code><input placeholder="forgotten"><bdi>name</bdi>'
    assert untranslated(page, []) == ["⟦ðö⟧ left", "forgotten"]
