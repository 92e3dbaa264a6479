"""The drop-in script `pypi-profile`; its commands come with a later release."""

from __future__ import annotations

import sys

import click


def main() -> None:
    click.echo("error: pypi-profile: not part of this version of Sealstead yet", err=True)
    click.echo("hint: see the CHANGELOG for what this version holds", err=True)
    sys.exit(1)
