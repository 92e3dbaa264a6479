"""`pypi-profile` as the harness runs it: everything imported once, the keyring's calls counted, time-outs short."""

from __future__ import annotations

import importlib
import os
import threading
from types import SimpleNamespace
from typing import Any, cast

LOCK_SECONDS = 0.5
"""A lock is held by a process that is stopped, or by none: there is nothing to be waited for."""
ANSWER_SECONDS = 120
IMPORTED_LATER = (
    *("_strptime", "difflib", "keyring.backends.null", "sealstead.cli.main"),
    *("cryptography.exceptions", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    *("sealstead.formats.toml_depth", "sealstead.identity.existing", "sealstead.identity.generate"),
    "sealstead.identity.provider_table",
)
"""What commands import only when they need it, which here is thousands of times."""


class KeyringThread(threading.Thread):
    """A call to the keyring. It is given up when it blocks, and only then, however busy the machine is."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.over = threading.Event()

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.over.set()

    def join(self, timeout: float | None = None) -> None:
        assert self.over.wait(ANSWER_SECONDS)


def _give_up() -> None:
    """The call that this thread was to make is about to wait for ever."""
    thread = threading.current_thread()
    assert isinstance(thread, KeyringThread)
    thread.over.set()


def prepare() -> None:
    """Called once, in the process that forks all others."""
    import keyring
    from keyring.errors import KeyringLocked
    from tests.crash.shim import SHIM, watch_keyring
    from tests.fakes.keyring_backend import FileKeyring

    from sealstead.cli.profile.main import COMMANDS
    from sealstead.custody import key_dir, os_keyring
    from sealstead.formats import minisign_key
    from sealstead.identity import profile_lock

    for place, _ in COMMANDS.values():
        importlib.import_module(place.partition(":")[0])
    for name in IMPORTED_LATER:
        importlib.import_module(name)
    watch_keyring(FileKeyring, KeyringLocked)
    SHIM.blocks = _give_up
    cast("Any", os_keyring).threading = SimpleNamespace(Thread=KeyringThread)
    os.environ["PYTHON_KEYRING_BACKEND"] = "tests.fakes.keyring_backend.FileKeyring"
    keyring.get_keyring()
    _default(os_keyring.open_keyring, LOCK_SECONDS)  # of which the lock of an entry takes four
    _default(key_dir.KeyDir.lock, LOCK_SECONDS)
    _default(profile_lock.profile_lock, LOCK_SECONDS)
    # Thousands of passphrases are set and tried here, and nobody guesses them.
    _default(minisign_key.serialize_secret_key, minisign_key.TEST_ONLY, "limits")


def _default(function: Any, value: object, name: str = "seconds") -> None:
    """Change what an argument is when nobody says."""
    function = getattr(function, "__wrapped__", function)
    assert name in (function.__kwdefaults__ or {}), function
    function.__kwdefaults__[name] = value


def main(arguments: list[str]) -> int:
    from sealstead.cli.main import run
    from sealstead.cli.profile.main import profile

    return run(profile, "pypi-profile", arguments)
