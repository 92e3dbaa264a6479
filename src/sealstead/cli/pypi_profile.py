"""The drop-in script `pypi-profile`: `sealstead profile` under its other name (docs/adr/0001-name.md)."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

_OBJECTS_BEFORE_COLLECTION = 50_000


def main() -> NoReturn:
    # What the imports make is no garbage: looking for it a hundred times takes a tenth of a short command.
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    if sys.argv[1:2] in (["sign-file"], ["verify-file"]):
        # Before the rest is imported: the file is read meanwhile.
        from sealstead.identity.file_digest import begin_early

        begin_early(sys.argv[2:])
    from sealstead.cli.main import run
    from sealstead.cli.profile.main import profile

    sys.exit(run(profile, "pypi-profile", sys.argv[1:]))
