"""A back end for the real `keyring`, kept in a file, which can misbehave as the real ones do.

Chosen with PYTHON_KEYRING_BACKEND=tests.fakes.keyring_backend.FileKeyring. SEALSTEAD_TEST_KEYRING names its file;
SEALSTEAD_TEST_KEYRING_MODE is `ok`, `blocks` (for ever), `raises` (what no keyring should), `locked`, `forgets` (keeps
nothing), or one of `blocks-set`, `raises-set` and `locked-set`, which read well and misbehave when written.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

BACKEND = "tests.fakes.keyring_backend.FileKeyring"


class FileKeyring(KeyringBackend):
    priority = 10

    def get_password(self, service: str, username: str) -> str | None:
        _misbehave(writing=False)
        found: str | None = _load().get(f"{service}/{username}")
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        _misbehave(writing=True)
        if _mode() != "forgets":
            _save(_load() | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        _misbehave(writing=True)
        entries = _load()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not found")
        _save(entries)


def _mode() -> str:
    return os.environ.get("SEALSTEAD_TEST_KEYRING_MODE", "ok")


def _misbehave(*, writing: bool) -> None:
    how, _, only = _mode().partition("-")
    if only == "set" and not writing:
        return
    if how == "blocks":
        threading.Event().wait()
    if how == "raises":
        raise RuntimeError("the prompt was dismissed")
    if how == "locked":
        raise KeyringLocked("the collection is locked")


def _path() -> Path:
    return Path(os.environ["SEALSTEAD_TEST_KEYRING"])


def _load() -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads(_path().read_text())
    except FileNotFoundError:
        return {}
    return entries


def _save(entries: dict[str, Any]) -> None:
    temporary = _path().with_suffix(".tmp")
    temporary.write_text(json.dumps(entries))
    temporary.replace(_path())
