"""One policy for keys and tokens, told to everybody; where it is set, to administrators."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.rows import make_user

pytestmark = pytest.mark.django_db

PAGE = "/manage/policy/"


def page(**values: Any) -> str:
    client = Client()
    client.force_login(make_user(**values))
    return html.unescape(client.get(PAGE).content.decode())


def rules(text: str) -> dict[str, str]:
    return dict(re.findall(r'<th scope="row">([^<]+)</th>\s*<td data-label="Holds now">([^<]+)</td>', text))


def test_it_is_for_those_who_are_signed_in() -> None:
    assert Client().get(PAGE).status_code == 302


def test_what_holds_is_told(settings: Any) -> None:
    settings.SEALSTEAD = replace(
        settings.SEALSTEAD,
        longest_life=timedelta(days=90),
        default_life=timedelta(days=365),
        longest_overlap=timedelta(hours=36),
        default_overlap=timedelta(days=7),
        line_max_age=None,
        allow_never_expires=True,
    )
    assert rules(page()) == {
        "Longest life": "90 days",
        "Without an end": "not allowed",  # whatever the switch says: a longest life rules it out
        "Proposed life": "90 days",
        "Longest overlap": "36 hours",
        "Proposed overlap": "36 hours",
        "Oldest line": "no limit",
    }


def test_administrators_are_told_where_it_is_set(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALSTEAD_LONGEST_LIFE", "90d")
    settings.SEALSTEAD = replace(
        settings.SEALSTEAD, longest_life=timedelta(days=90), longest_overlap=timedelta(days=3)
    )
    text = page(is_superuser=True)
    assert "environment: <code>SEALSTEAD_LONGEST_LIFE</code>" in text
    assert "<code>sealstead.toml</code>: <code>longest_overlap</code>" in text
    assert "not set: the default <code>line_max_age</code>" in text
    assert "SEALSTEAD_LONGEST_LIFE" not in page()
