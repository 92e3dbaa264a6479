"""Sections of the account settings page, `/manage/account/`, and of the page on which administrators see an account.

Other apps add theirs in `AppConfig.ready`, so that this page shows them without importing them: imports point
from `credentials` to `accounts`, never back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from sealstead.server.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Section:
    """One panel of the page; `slug` is its anchor, `order` its place (ties: in order of registration)."""

    slug: str
    title: StrOrPromise
    template: str
    context: Callable[[HttpRequest], dict[str, Any]]
    order: int


_sections: dict[str, Section] = {}


def register(
    slug: str,
    title: StrOrPromise,
    template: str,
    context: Callable[[HttpRequest], dict[str, Any]],
    *,
    order: int = 500,
) -> None:
    """Add a section, or replace the one of the same slug. `title` is lazy (`gettext_lazy`), the page is in many languages.

    `template` is rendered with what `context` returns; it holds the panel's body without the heading.
    """
    _sections[slug] = Section(slug=slug, title=title, template=template, context=context, order=order)


def all_sections() -> list[Section]:
    return sorted(_sections.values(), key=lambda section: section.order)


@dataclass(frozen=True, kw_only=True)
class PersonSection:
    """One panel of an account as administrators see it; `context` is given the account beside the request."""

    slug: str
    title: StrOrPromise
    template: str
    context: Callable[[HttpRequest, User], dict[str, Any]]
    order: int


_person_sections: dict[str, PersonSection] = {}


def register_for_person(
    slug: str,
    title: StrOrPromise,
    template: str,
    context: Callable[[HttpRequest, User], dict[str, Any]],
    *,
    order: int = 500,
) -> None:
    _person_sections[slug] = PersonSection(
        slug=slug, title=title, template=template, context=context, order=order
    )


def person_sections() -> list[PersonSection]:
    return sorted(_person_sections.values(), key=lambda section: section.order)
