"""The drop-in script `SignotaurTool`: `sealstead signing` under its other name (docs/adr/0001-name.md)."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    from sealstead.cli.main import run
    from sealstead.cli.signing.main import signing

    sys.exit(run(signing, "SignotaurTool", sys.argv[1:]))
