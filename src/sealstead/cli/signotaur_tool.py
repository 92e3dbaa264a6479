"""The drop-in script `SignotaurTool`; its commands come with a later release."""

from __future__ import annotations

import sys

import click


def main() -> None:
    click.echo("error: SignotaurTool: not part of this version of Sealstead yet", err=True)
    click.echo("hint: see the CHANGELOG for what this version holds", err=True)
    sys.exit(1)
