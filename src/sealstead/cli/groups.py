"""Groups of commands: a sub-command's module is imported when it is called, so that `--help` stays quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import click

Places = Mapping[str, tuple[str, str]]
"""Name of a command: (module:attribute, first line of its help)."""


class Group(click.Group):
    """A group that names the nearest command for one it does not know."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise UnknownCommandError(name, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    def __init__(self, *args: Any, places: Places, **more: Any) -> None:
        super().__init__(*args, **more)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.places:
            return None
        module, _, attribute = self.places[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.places.items()])


class UnknownCommandError(click.UsageError):
    def __init__(self, name: str, known: Sequence[str], ctx: click.Context) -> None:
        import difflib  # costs milliseconds at each start

        super().__init__(f"no command is called {name}", ctx)
        near = difflib.get_close_matches(name, known, n=1)
        self.hint = f"did you mean {ctx.command_path} {near[0]}?" if near else None
