"""Settings for the type checker's Django plugin, which imports them without a data directory."""

import os
import tempfile
from pathlib import Path

from sealstead.custody.sealed import KeyRing

if "SEALSTEAD_DATA_DIR" not in os.environ:
    _data_dir = Path(tempfile.mkdtemp(prefix="sealstead-typing-"))
    (_data_dir / "keyring.json").touch(0o600)
    (_data_dir / "keyring.json").write_text(KeyRing.generate().dump())
    os.environ["SEALSTEAD_DATA_DIR"] = str(_data_dir)

from sealstead.server.settings import *  # noqa: F403
