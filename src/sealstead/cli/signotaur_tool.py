"""The drop-in script `SignotaurTool`; its commands come with a later release."""

from __future__ import annotations

import sys

from sealstead.cli import output


def main() -> None:
    output.error(
        "SignotaurTool: not part of this version of Sealstead yet",
        "see the CHANGELOG for what this version holds",
    )
    sys.exit(1)
