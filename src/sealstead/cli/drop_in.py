"""The two foreign command names, until the parts behind them are there (docs/adr/0001-name.md)."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import NoReturn

from sealstead.cli import output


def not_yet(name: str, part: str) -> NoReturn:
    """Answer `--version` and `--help`; refuse everything else, for a pipeline must not think that it worked."""
    if sys.argv[1:] in (["--version"], ["--help"], ["-h"]):
        output.data(f"{name} of Sealstead {version('sealstead')}")
        output.data(f"Sealstead is not affiliated with the owners of the name {name}.")
        output.data(f"{part} comes with a later version; this one does nothing yet.")
        sys.exit(0)
    output.error(
        f"{name}: not part of this version of Sealstead yet",
        "see the CHANGELOG for what this version holds",
    )
    sys.exit(1)
