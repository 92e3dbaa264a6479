"""The drop-in script `pypi-profile`: `sealstead profile` under its other name (docs/adr/0001-name.md)."""

from __future__ import annotations

import sys
from typing import NoReturn

from sealstead.cli.main import run
from sealstead.cli.profile.main import profile


def main() -> NoReturn:
    sys.exit(run(profile, "pypi-profile", sys.argv[1:]))
