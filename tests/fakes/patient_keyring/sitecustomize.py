"""On PYTHONPATH of a command: it waits for the keyring as long as a busy machine may need, not five seconds."""

from __future__ import annotations

from sealstead.custody.os_keyring import open_keyring

open_keyring.__kwdefaults__["seconds"] = 120.0
