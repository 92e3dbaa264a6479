from typing import Any

import pytest
from django.http import HttpRequest

from sealstead.server.accounts import sections


def empty(request: HttpRequest) -> dict[str, Any]:
    return {}


@pytest.fixture(autouse=True)
def _empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "_sections", {})


def test_sections_come_by_order_then_by_registration() -> None:
    sections.register("tokens", "API tokens", "t.html", empty)
    sections.register("late", "Late", "t.html", empty)
    sections.register("email", "E-mail", "t.html", empty, order=100)
    assert [section.slug for section in sections.all_sections()] == ["email", "tokens", "late"]


def test_registering_a_slug_again_replaces_it() -> None:
    sections.register("tokens", "Old", "t.html", empty)
    sections.register("tokens", "New", "t.html", empty)
    assert [section.title for section in sections.all_sections()] == ["New"]
