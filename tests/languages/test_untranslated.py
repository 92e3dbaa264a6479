"""Walk every page in a pseudo-locale: a word in plain letters was never given to gettext.

A route that is neither a page of `walk.py` nor excused there fails, so that no page is forgotten. Forms are
sent empty as well, for their errors are texts too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from tests.certificates import NOW as CERTIFIED_AT
from tests.certificates import leaf
from tests.languages.visible import untranslated
from tests.languages.walk import (
    API_KEY,
    CERTIFICATE,
    FILE,
    FOR_ADMINISTRATORS,
    KEY,
    MEMBER,
    NOT_PAGES,
    OF_A_KEY,
    PERSON,
    PLAIN,
    PROJECT,
    TOKEN,
    VERSION,
    WITH_SECOND_FACTOR,
    routes,
)
from tests.rows import ORIGIN, make_project, make_release, make_user

from sealstead.server.accounts import recovery, totp
from sealstead.server.accounts.models import User
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.issue_key import issue_api_key
from sealstead.server.credentials.key_scope import key_scope
from sealstead.server.credentials.rotate_key import rotate_api_key_for
from sealstead.server.signing.create import By, Named, import_pem, request_certificate
from sealstead.server.signing.manage import grant

pytestmark = pytest.mark.django_db

# Words that are the same everywhere: names of products, formats and tools.
NAMES = (
    *(
        "Sealstead",
        "English",
        "Deutsch",
        "UTC",
        "Python",
        "JSON",
        "CSV",
        "TOTP",
        "QR",
        "SHA-256",
        "RSA-3072",
        "RSA-4096",
        ORIGIN.user_agent,
    ),
    *("twine", "uv", "pip", "keyring", ".pypirc", "GitHub Actions", "GitLab CI"),
)


def test_every_route_is_walked_or_excused() -> None:
    names = {route.name for route in routes() if route.name}
    walked = set(PLAIN) | set(WITH_SECOND_FACTOR) | set(FOR_ADMINISTRATORS)
    assert names - walked - NOT_PAGES == set()
    assert walked - names == set()


@dataclass(frozen=True, kw_only=True)
class Visitor:
    client: Client
    user: User
    arguments: dict[str, str]

    def data(self) -> list[str]:
        return [
            self.user.username,
            self.user.email,
            PROJECT,
            FILE,
            "other-member",
            "laptop",
            "walked token",
            "walked key",
            "walked label",
            "walked",
            "Standard",
            "ApiKeyRotator",
            *NAMES,
        ]


@pytest.fixture(params=["en-xa", "ar-xb"])
def visitor(request: pytest.FixtureRequest) -> Iterator[Visitor]:
    user = make_user(f"walker-{uuid.uuid4().hex[:8]}")
    other = make_user("other-member")
    project = make_project(PROJECT, owner=user, maintainers=(other,))
    make_release(project, VERSION)
    config = settings.SEALSTEAD
    token, _ = issue_upload_token(
        owner=user,
        name="walked token",
        projects=[(PROJECT, project.id)],
        expires_at=None,
        at=config.clock.now(),
        origin=ORIGIN,
    )
    client = Client(headers={"Accept-Language": request.param})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    # Signed in a moment ago, for pages that ask for that; the form would cost a password hash each time.
    now = config.clock.now().timestamp()
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": now, "username": user.username}]
    session["recent_auth_at"] = now
    session.save()
    old, _ = issue_api_key(
        owner=user,
        name="walked key",
        scope=key_scope(roles=["Standard"], labels=["walked label"], networks=["192.0.2.0/24"], rate="60/m"),
        expires_at=None,
        at=config.clock.now(),
        origin=ORIGIN,
    )
    key, _ = rotate_api_key_for(
        old,
        actor=user,
        overlap=timedelta(days=1),
        idempotency_key="",
        at=config.clock.now(),
        origin=ORIGIN,
    )
    old.address_uses.create(address="192.0.2.9", count=3, last_at=config.clock.now())
    by = By(actor=None, at=CERTIFIED_AT, origin=ORIGIN)
    # Of a file: making a test authority would cost a big key each time.
    made = import_pem(leaf().pem(), None, Named(label="walked", alias="walked"), by).row
    grant(made, user, by)
    awaiting = request_certificate("walked", Named(label="walked"), by, algorithm="P-256").row
    arguments = {
        MEMBER: str(other.id),
        PERSON: str(other.id),
        TOKEN: str(token.id),
        API_KEY: str(key.id),
        CERTIFICATE: str(awaiting.id),
    }
    yield Visitor(client=client, user=user, arguments=arguments)
    translation.deactivate()


@pytest.fixture
def guarded(visitor: Visitor) -> Visitor:
    """The same with an authenticator app, recovery codes and a security key."""
    app = totp.seal_secret(visitor.user.id, "JBSWY3DPEHPK3PXP")
    recovery.issue_codes(visitor.user, at=settings.SEALSTEAD.clock.now())
    Authenticator.objects.create(user=visitor.user, type=Authenticator.Type.TOTP, data={"secret": app})
    key = Authenticator.objects.create(
        user=visitor.user, type=Authenticator.Type.WEBAUTHN, data={"name": "laptop", "credential": {}}
    )
    visitor.arguments[KEY] = str(key.pk)
    return visitor


def _is_page(answer: HttpResponse) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html") and bool(answer.content)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_page_is_translated(name: str, visitor: Visitor) -> None:
    _walk(name, PLAIN[name], visitor)


@pytest.mark.parametrize("name", OF_A_KEY)
def test_page_of_an_api_key_is_translated(name: str, visitor: Visitor) -> None:
    _walk(name, {"credential_id": API_KEY}, visitor)


@pytest.mark.parametrize("name", sorted(WITH_SECOND_FACTOR))
def test_page_with_second_factor_is_translated(name: str, guarded: Visitor) -> None:
    _walk(name, WITH_SECOND_FACTOR[name], guarded)


@pytest.mark.parametrize("name", sorted(FOR_ADMINISTRATORS))
def test_page_for_administrators_is_translated(name: str, visitor: Visitor) -> None:
    address = reverse(
        name,
        kwargs={key: visitor.arguments.get(value, value) for key, value in FOR_ADMINISTRATORS[name].items()},
    )
    assert visitor.client.get(address).status_code == 404
    User.objects.filter(pk=visitor.user.pk).update(is_superuser=True)
    _walk(name, FOR_ADMINISTRATORS[name], visitor)


def _walk(name: str, arguments: dict[str, str], visitor: Visitor) -> None:
    address = reverse(
        name, kwargs={key: visitor.arguments.get(value, value) for key, value in arguments.items()}
    )
    guest = Client(headers={"Accept-Language": visitor.client.defaults["HTTP_ACCEPT_LANGUAGE"]})
    seen = 0
    for client in (visitor.client, guest):
        for answer in (client.get(address), client.post(address, {"action": ""})):
            assert answer.status_code != 500
            if not _is_page(answer) or answer.status_code == 405:
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
