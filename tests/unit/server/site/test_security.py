from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from sealstead.server.site.security import expires_at, security_txt

NOW = datetime(2026, 11, 21, 13, 37, tzinfo=UTC)


def _config(**changes: Any) -> Any:
    return replace(settings.SEALSTEAD, **changes)


def test_fields_of_rfc_9116() -> None:
    config = _config(
        security_contact=("mailto:security@example.org", "https://example.org/report"),
        security_expires="2027-01-31",
        security_languages=("en", "de"),
        security_policy="https://example.org/policy",
    )
    assert security_txt(config, address="https://packages.example.org", now=NOW) == (
        "Contact: mailto:security@example.org\r\n"
        "Contact: https://example.org/report\r\n"
        "Expires: 2027-01-31T00:00:00Z\r\n"
        "Preferred-Languages: en, de\r\n"
        "Canonical: https://packages.example.org/.well-known/security.txt\r\n"
        "Policy: https://example.org/policy\r\n"
    )


def test_without_a_date_it_expires_in_less_than_a_year() -> None:
    assert expires_at(_config(security_expires=""), now=NOW) == datetime(2027, 11, 20, tzinfo=UTC)


def test_a_line_break_in_a_setting_makes_no_field() -> None:
    config = _config(security_contact=("mailto:a@example.org\r\nHiring: x",))
    assert "\r\nHiring" not in security_txt(config, address="https://h", now=NOW)


def test_file_and_page_name_the_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SEALSTEAD", _config(security_contact=("mailto:security@example.org",)))
    file = Client().get("/.well-known/security.txt")
    assert file.status_code == 200
    assert file.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert file.content.startswith(b"Contact: mailto:security@example.org\r\n")
    assert b"mailto:security@example.org" in Client().get("/security/").content


def test_without_a_contact_there_is_no_file_and_the_page_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SEALSTEAD", _config(security_contact=()))
    assert Client().get("/.well-known/security.txt").status_code == 404
    page = Client().get("/security/").content.decode()
    assert "security_contact = [" in page
