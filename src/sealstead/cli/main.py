"""The `sealstead` command: lazy sub-commands, one table of exit codes, one voice for errors."""

from __future__ import annotations

import importlib
import sys

import click

from sealstead import errors

EXIT_CODES: tuple[tuple[type[errors.SealsteadError], int], ...] = (
    (errors.InputError, 2),
    (errors.KeyUnavailableError, 3),
    (errors.UpstreamError, 5),
    (errors.SealsteadError, 1),
)
"""First match wins (DESIGN §9)."""

_COMMANDS = {
    "serve": "sealstead.cli.server:serve",
    "admin": "sealstead.cli.server:admin",
    "demo": "sealstead.cli.demo.story:demo",
}


class LazyGroup(click.Group):
    """Imports a sub-command's module when it is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="sealstead")
def cli() -> None:
    """One home for every key and token a software publisher ships with."""


def main() -> None:
    try:
        cli(standalone_mode=True)
    except errors.SealsteadError as exc:
        click.echo(f"error: {exc.message}", err=True)
        if exc.hint:
            click.echo(f"hint: {exc.hint}", err=True)
        sys.exit(next(code for family, code in EXIT_CODES if isinstance(exc, family)))
