"""Write and compile the catalogues of `sealstead/server/locale`.

Per real language: `django.po` holds our own texts, `foreign.po` our wording for texts of Django and allauth that we
put otherwise (allauth's German says "du"). Both become `django.mo`, which Django asks first. Pseudo-locales have no
source: they are made from everything that may appear on a page, also the texts of Django and allauth.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import allauth
import django
import polib
from tools.messages.extract import Message
from tools.messages.pseudo import accented, right_to_left

LANGUAGES = ("de",)
PSEUDO = {"en_XA": accented, "ar_XB": right_to_left}
_PLURAL = "nplurals=2; plural=(n != 1);"


def key(entry: polib.POEntry) -> tuple[str | None, str]:
    return entry.msgctxt, entry.msgid


def update(path: Path, language: str, found: dict[Message, list[str]]) -> None:
    """Bring `django.po` to the texts found. Translations stay; what is gone is kept as obsolete."""
    old = {key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    new = _empty(language)
    for message in sorted(found, key=lambda item: (found[item][0], item.singular, item.context or "")):
        entry = _entry(message, found[message])
        known = old.pop(key(entry), None)
        if known is not None:
            entry.flags = [flag for flag in known.flags if flag != "python-format"] + entry.flags
            entry.tcomment = known.tcomment
            if bool(known.msgid_plural) == bool(entry.msgid_plural):
                entry.msgstr, entry.msgstr_plural = known.msgstr, dict(known.msgstr_plural)
        new.append(entry)
    for entry in sorted(old.values(), key=lambda item: item.msgid):
        if entry.msgstr or any(entry.msgstr_plural.values()):
            entry.obsolete = True
            new.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.save(str(path))


def compiled(directory: Path) -> polib.MOFile | polib.POFile:
    """Return what `django.mo` of a real language must hold."""
    both = polib.pofile(str(directory / "django.po"))
    foreign = directory / "foreign.po"
    if foreign.exists():
        both.extend(polib.pofile(str(foreign)))
    return both


def pseudo(locale: str, found: Iterable[Message]) -> polib.POFile:
    change = PSEUDO[locale]
    made = _empty(locale)
    seen = set()
    for message in sorted(
        {*found, *foreign_messages()}, key=lambda item: (item.singular, item.context or "")
    ):
        entry = _entry(message, [])
        if key(entry) in seen:  # the same text with and without a plural: one entry serves both
            continue
        seen.add(key(entry))
        if message.plural is None:
            entry.msgstr = change(message.singular)
        else:
            entry.msgstr_plural = {0: change(message.singular), 1: change(message.plural)}
        made.append(entry)
    return made


def foreign_messages() -> list[Message]:
    """All texts of the Django and allauth installed here."""
    homes = [Path(allauth.__file__).parent, Path(django.__file__).parent / "conf"]
    homes += [
        Path(django.__file__).parent / "contrib" / name for name in ("auth", "contenttypes", "sessions")
    ]
    return [
        Message(entry.msgid, entry.msgid_plural or None, entry.msgctxt)
        for home in homes
        for entry in polib.pofile(str(home / "locale" / "de" / "LC_MESSAGES" / "django.po"))
        if not entry.obsolete
    ]


def _entry(message: Message, places: list[str]) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.singular, msgctxt=message.context, occurrences=[(place, "") for place in places]
    )
    if message.plural is not None:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = {0: "", 1: ""}
    if "%(" in message.singular:
        entry.flags.append("python-format")
    return entry


def _empty(language: str) -> polib.POFile:
    made = polib.POFile(wrapwidth=100)
    # No dates and no names: the same texts must give the same bytes.
    made.metadata = {
        "Project-Id-Version": "sealstead",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": _PLURAL,
    }
    return made
