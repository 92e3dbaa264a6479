"""`pypi-profile` as the harness runs it: everything imported once, the keyring's calls counted, time-outs short."""

from __future__ import annotations

import importlib
import os
from typing import Any

KEYRING_SECONDS = 0.5
"""Instead of five. Long enough for a busy machine, for what should answer here answers at once."""
LOCK_SECONDS = 0.5
IMPORTED_LATER = (
    *("_strptime", "difflib", "keyring.backends.null", "sealstead.cli.main"),
    *("cryptography.exceptions", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    *("sealstead.formats.toml_depth", "sealstead.identity.existing", "sealstead.identity.generate"),
    "sealstead.identity.provider_table",
)
"""What commands import only when they need it, which here is thousands of times."""


def prepare() -> None:
    """Called once, in the process that forks all others."""
    import keyring
    from keyring.errors import KeyringLocked
    from tests.crash.shim import watch_keyring
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
    os.environ["PYTHON_KEYRING_BACKEND"] = "tests.fakes.keyring_backend.FileKeyring"
    keyring.get_keyring()
    _default(os_keyring.open_keyring, KEYRING_SECONDS)
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
