"""Which back end mails of this process go to; without it, Django's tests keep them in `mail.outbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


def use_mail_backend(settings: SettingsWrapper, backend: str, **options: object) -> None:
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
        return
    settings.EMAIL_BACKEND = backend
    for name, value in options.items():
        setattr(settings, f"EMAIL_{name.upper()}", value)
