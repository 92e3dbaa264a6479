"""The drop-in script `SignotaurTool`; its commands come with a later version."""

from __future__ import annotations

from typing import NoReturn

from sealstead.cli.drop_in import not_yet


def main() -> NoReturn:
    not_yet("SignotaurTool", "Code signing")
