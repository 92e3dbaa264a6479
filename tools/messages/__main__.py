"""`python -m tools.messages`: extract, update, compile; tells what is left to translate."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "src" / "sealstead" / "server"


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
    import django

    django.setup()
    from tools.messages import catalogue
    from tools.messages.extract import extract

    found = extract(SERVER)
    missing = 0
    for language in catalogue.LANGUAGES:
        directory = SERVER / "locale" / language / "LC_MESSAGES"
        catalogue.update(directory / "django.po", language, found)
        whole = catalogue.compiled(directory)
        whole.save_as_mofile(str(directory / "django.mo"))
        left = polib.pofile(str(directory / "django.po"))
        for entry in [*left.untranslated_entries(), *left.fuzzy_entries()]:
            missing += 1
            sys.stdout.write(f"{language}: {entry.msgid!r}\n")
    for locale in catalogue.PSEUDO:
        directory = SERVER / "locale" / locale / "LC_MESSAGES"
        directory.mkdir(parents=True, exist_ok=True)
        catalogue.pseudo(locale, found).save_as_mofile(str(directory / "django.mo"))
    sys.stdout.write(f"{len(found)} texts, {missing} left to translate\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
