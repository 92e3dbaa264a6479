"""The drop-in script `pypi-profile`: `sealstead profile` under its other name (docs/adr/0001-name.md)."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    if sys.argv[1:2] in (["sign-file"], ["verify-file"]):
        # Before the rest is imported: the file is read meanwhile.
        from sealstead.identity.file_digest import begin_early

        begin_early(sys.argv[2:])
    from sealstead.cli.main import run
    from sealstead.cli.profile.main import profile

    sys.exit(run(profile, "pypi-profile", sys.argv[1:]))
