"""Every page of accounts that can be reached is ours, whole, and free of inline script and style."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.template import engines
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.models import User
from sealstead.server.accounts.urls import urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

PASSWORD = "correct horse battery"
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture
def alice() -> User:
    return create_user(username="alice", email="alice@example.org", password=PASSWORD)


def sign_in(client: Client, login: str = "alice") -> None:
    answer = client.post(reverse("account_login"), {"login": login, "password": PASSWORD})
    assert answer.status_code == 302, answer.content


def names() -> list[str]:
    return [str(route.name) for route in urlpatterns if isinstance(route, URLPattern)]


def check(content: str) -> None:
    assert "</html>" in content
    assert 'href="#content"' in content, "not our base template"
    found = INLINE.search(content)
    assert not found, content[max(0, found.start() - 80) : found.end() + 80]


def test_nothing_of_allauth_is_exposed_but_what_is_listed() -> None:
    def walk(resolver: URLResolver) -> list[str]:
        found = []
        for route in resolver.url_patterns:
            if isinstance(route, URLResolver):
                found += walk(route)
            elif str(route.lookup_str).startswith("allauth."):
                found.append(str(route.name))
        return found

    assert set(walk(get_resolver())) <= set(names())


ANONYMOUS = [
    "account_login",
    "account_signup",
    "account_inactive",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
]
SIGNED_IN = [
    "account_logout",
    "account_email",
    "account_change_password",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "manage_account",
]
ELSEWHERE = {
    "account_confirm_email",
    "account_reset_password_from_key",
    "account_set_password",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_deactivate_totp",
    "mfa_recovery_codes",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "manage_account_sign_out_elsewhere",
    "manage_account_mails",
    "server-users",
    "server-user-add",
    "server-user",
    "server-user-change",
}


def test_no_page_is_forgotten() -> None:
    assert set(names()) == {*ANONYMOUS, *SIGNED_IN, *ELSEWHERE}


@pytest.mark.parametrize("name", ANONYMOUS)
def test_pages_for_anybody(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    check(answer.content.decode())


@pytest.mark.parametrize("name", SIGNED_IN)
def test_pages_after_sign_in(client: Client, alice: User, name: str) -> None:
    sign_in(client)
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    check(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]


def test_pages_of_mailed_links(client: Client, alice: User) -> None:
    address = EmailAddress.objects.create(user=alice, email="a2@example.org")
    good = client.get(reverse("account_confirm_email", args=[EmailConfirmationHMAC.create(address).key]))
    bad = client.get(reverse("account_confirm_email", args=["nonsense"]))
    lost = client.get(reverse("account_reset_password_from_key", kwargs={"uidb36": "1", "key": "x-y"}))
    for answer in (good, bad, lost):
        assert answer.status_code == 200
        check(answer.content.decode())


def test_a_user_without_password_can_set_one(client: Client, alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)
    answer = client.get(reverse("account_change_password"))
    assert answer.url == reverse("account_set_password")  # type: ignore[attr-defined]
    check(client.get(reverse("account_set_password")).content.decode())


@pytest.mark.parametrize("name", ANONYMOUS[:1] + SIGNED_IN)
def test_templates_come_from_us(client: Client, alice: User, name: str) -> None:
    if name != "account_login":
        sign_in(client)
    answer = client.get(reverse(name))
    origins = {str(template.origin) for template in answer.templates if template.name}
    foreign = {origin for origin in origins if "allauth" in origin}
    assert not foreign


def test_each_message_and_mail_of_allauth_is_ours() -> None:
    from pathlib import Path

    import allauth

    theirs = Path(allauth.__file__).parent / "templates"
    engine: Any = engines["django"]
    unused = re.compile(
        "phone|login_code|request_login|confirm_.*code|passkey|email_change.html|signup_form|trust"
    )
    for folder in ("account", "mfa"):
        for template in (theirs / folder).rglob("*.html"):
            name = str(template.relative_to(theirs))
            if unused.search(name) or "/base" in name or "/snippets/" in name or "recovery_codes/" in name:
                continue
            assert "allauth" not in str(engine.engine.get_template(name).origin), name
        for template in (theirs / folder / "messages").glob("*.txt"):
            name = str(template.relative_to(theirs))
            if unused.search(name):
                continue
            assert "allauth" not in str(engine.engine.get_template(name).origin), name
