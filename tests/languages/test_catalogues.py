"""The catalogues are complete, agree with the source texts, and what is compiled is what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import allauth
import polib
import pytest
from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import to_locale
from tools.messages import catalogue
from tools.messages.extract import Message, extract

import sealstead.server

SERVER = Path(sealstead.server.__file__).parent
HOW = "run `make messages`, then translate (docs/guides/translate.md)"
PLACEHOLDER = re.compile(r"%\([a-z_0-9]+\)[sd]|%[sd]|\{[a-z_0-9]*\}", re.IGNORECASE)
TAG = re.compile(r"</?[a-z]+|&[a-z]+;", re.IGNORECASE)


@pytest.fixture(scope="module")
def found() -> dict[Message, list[str]]:
    return extract(SERVER)


def _directory(locale: str) -> Path:
    return SERVER / "locale" / locale / "LC_MESSAGES"


def _texts(entries: Iterator[polib.POEntry] | polib.POFile | polib.MOFile) -> dict[object, object]:
    return {
        catalogue.key(entry): (entry.msgstr, tuple(entry.msgstr_plural.values()))
        for entry in entries
        if not entry.obsolete
    }


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_text_is_in_the_catalogue_and_no_other(language: str, found: dict[Message, list[str]]) -> None:
    written = set(_texts(polib.pofile(str(_directory(language) / "django.po"))))
    assert written == {(message.context, message.singular) for message in found}, HOW


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
@pytest.mark.parametrize("name", ["django.po", "foreign.po"])
def test_nothing_is_untranslated_or_fuzzy(language: str, name: str) -> None:
    written = polib.pofile(str(_directory(language) / name))
    assert not [entry.msgid for entry in written.untranslated_entries()], HOW
    assert not [entry.msgid for entry in written.fuzzy_entries()], HOW


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_placeholders_and_markup_agree(language: str) -> None:
    for entry in catalogue.compiled(_directory(language)):
        sources = [entry.msgid, entry.msgid_plural or entry.msgid]
        for target in [entry.msgstr, *entry.msgstr_plural.values()]:
            if not target:
                continue
            allowed = [set(PLACEHOLDER.findall(source)) for source in sources]
            assert set(PLACEHOLDER.findall(target)) in allowed, entry.msgid
            assert sorted(TAG.findall(target)) in [sorted(TAG.findall(source)) for source in sources]
            for edge in (str.startswith, str.endswith):
                assert edge(target, "\n") == edge(entry.msgid, "\n"), entry.msgid


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_compiled_catalogue_is_current(language: str) -> None:
    expected = _texts(catalogue.compiled(_directory(language)))
    assert _texts(polib.mofile(str(_directory(language) / "django.mo"))) == expected, HOW


@pytest.mark.parametrize("locale", catalogue.PSEUDO)
def test_pseudo_catalogue_is_current(locale: str, found: dict[Message, list[str]]) -> None:
    """Our texts are; those of Django and allauth are of the versions that were there when it was made."""
    shipped = _texts(polib.mofile(str(_directory(locale) / "django.mo")))
    made = _texts(catalogue.pseudo(locale, found))
    for message in found:
        key = (message.context, message.singular)
        assert shipped.get(key) == made[key], HOW


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_foreign_wording_is_of_texts_that_exist(language: str) -> None:
    """A text that Django or allauth no longer has would be translated for nobody."""
    known = {(message.context, message.singular) for message in catalogue.foreign_messages()}
    ours = polib.pofile(str(_directory(language) / "foreign.po"))
    assert {catalogue.key(entry) for entry in ours} <= known


INFORMAL = re.compile(r"\b([Dd]u|[Dd]ein\w*|[Dd]ich|[Dd]ir|[Gg]ib|[Kk]licke?|[Ww]ähle)\b")


def test_german_says_sie() -> None:
    for entry in catalogue.compiled(_directory("de")):
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            assert not INFORMAL.search(text), text


def test_informal_german_of_allauth_has_our_wording() -> None:
    """Of its accounts and second factors; other parts of it show nothing here."""
    ours = {catalogue.key(entry) for entry in polib.pofile(str(_directory("de") / "foreign.po"))}
    theirs = polib.pofile(str(Path(allauth.__file__).parent / "locale/de/LC_MESSAGES/django.po"))
    for entry in theirs:
        places = [place for place, _ in entry.occurrences]
        shown = any(re.match(r"(templates/)?(account|mfa|core|allauth)/", place) for place in places)
        if shown and not entry.obsolete and INFORMAL.search(entry.msgstr):
            assert catalogue.key(entry) in ours, entry.msgid


def test_every_language_of_the_settings_has_a_catalogue() -> None:
    offered = {to_locale(code) for code, _ in settings.LANGUAGES} - {"en"}
    assert offered == {*catalogue.LANGUAGES, *catalogue.PSEUDO}
    assert all((_directory(locale) / "django.mo").is_file() for locale in offered)


@pytest.mark.parametrize(
    ("language", "day", "number", "one", "two"),
    [
        ("en", "March 1, 2026", "1234.5", "1 project", "2 projects"),
        ("de", "1. März 2026", "1234,5", "1 Projekt", "2 Projekte"),
    ],
)
def test_dates_numbers_and_plurals_follow_the_language(
    language: str, day: str, number: str, one: str, two: str
) -> None:
    with translation.override(language):
        assert formats.date_format(date(2026, 3, 1)) == day
        assert formats.number_format(1234.5) == number
        singular, plural = "%(total)s project", "%(total)s projects"
        assert translation.ngettext(singular, plural, 1) % {"total": 1} == one
        assert translation.ngettext(singular, plural, 2) % {"total": 2} == two
