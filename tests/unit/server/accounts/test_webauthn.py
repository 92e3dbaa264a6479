"""The checks that the library leaves open. The whole ceremony is in tests/browser/test_security_keys.py."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from sealstead.server.accounts import webauthn
from sealstead.server.accounts.models import SignCounter, User

pytestmark = pytest.mark.django_db


def at_url(settings: Any, url: str) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, public_url=url)


def answer(*, origin: str = "", counter: int = 0) -> Any:
    return SimpleNamespace(
        response=SimpleNamespace(
            client_data=SimpleNamespace(origin=origin), authenticator_data=SimpleNamespace(counter=counter)
        )
    )


@pytest.fixture
def key(alice: User) -> Authenticator:
    return Authenticator.objects.create(user=alice, type=Authenticator.Type.WEBAUTHN, data={})


@pytest.mark.parametrize(
    "origin",
    [
        "https://sub.index.example.org",
        "https://index.example.org:8443",
        "http://index.example.org",
        "https://index.example.org.evil.example",
        "",
    ],
)
def test_another_origin_is_refused(settings: Any, origin: str) -> None:
    at_url(settings, "https://index.example.org")
    webauthn.require_own_origin(answer(origin="https://index.example.org"))
    with pytest.raises(webauthn.ForeignOriginError) as refused:
        webauthn.require_own_origin(answer(origin=origin))
    assert refused.value.code == "foreign-origin"


@pytest.mark.parametrize(("known", "shown"), [(None, 0), (0, 0), (None, 1), (0, 1), (5, 6), (5, 500)])
def test_a_counter_that_advances_is_kept(key: Authenticator, known: int | None, shown: int) -> None:
    if known is not None:
        SignCounter.objects.create(authenticator=key, count=known)
    webauthn.require_advanced_counter(key, answer(counter=shown))
    assert SignCounter.objects.filter(count=shown).exists() == (known is not None or shown > 0)


@pytest.mark.parametrize(("known", "shown"), [(5, 5), (5, 4), (5, 0), (1, 1)])
def test_a_counter_that_does_not_advance_is_a_copy(key: Authenticator, known: int, shown: int) -> None:
    SignCounter.objects.create(authenticator=key, count=known)
    with pytest.raises(webauthn.ClonedKeyError) as refused:
        webauthn.require_advanced_counter(key, answer(counter=shown))
    assert refused.value.code == "cloned-security-key"
    assert SignCounter.objects.get().count == known


@pytest.mark.parametrize(
    ("url", "possible"),
    [
        ("https://index.example.org", True),
        ("https://index.example.org:8443", True),
        ("http://localhost:8000", True),
        ("http://index.example.org", False),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_where_browsers_allow_keys(settings: Any, url: str, *, possible: bool) -> None:
    at_url(settings, url)
    assert webauthn.is_available() is possible
