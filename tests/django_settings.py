"""The product's settings on a throw-away data directory: for in-process tests and the type checker's plugin."""

import os
import tempfile
from pathlib import Path

from sealstead.custody.sealed import KeyRing

if not os.environ.get("SEALSTEAD_DATA_DIR"):
    _data_dir = Path(tempfile.mkdtemp(prefix="sealstead-tests-"))
    (_data_dir / "keyring.json").touch(0o600)
    (_data_dir / "keyring.json").write_text(KeyRing.generate().dump())
    os.environ["SEALSTEAD_DATA_DIR"] = str(_data_dir)

from sealstead.server.settings import *  # noqa: F403

PASSWORD_HASHERS = ["sealstead.server.accounts.passwords.CheapForTests"]
