"""The terminal voice: the only module that writes to stdout and stderr.

Data goes to stdout and nothing else does; notes, errors and questions go to stderr. An error is `error: what failed:
the fact`, then `hint: next step`; with `--json` both are one JSON object. Colour repeats what the words say already,
and is left out for `NO_COLOR`, `TERM=dumb` and anything that is no terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click


def data(text: str) -> None:
    """Write a line of what was asked for."""
    click.echo(text)


def document(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """Write what was asked for as JSON."""
    import json  # costs milliseconds at each start

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def note(text: str) -> None:
    """Tell the person at the terminal something; scripts need not read it."""
    click.echo(text, err=True)


def warning(text: str) -> None:
    """Tell of something that needs attention, and did not stop the command."""
    click.echo(f"{_styled('warning:', 'yellow')} {text}", err=True)


def error(message: str, hint: str | None = None) -> None:
    click.echo(f"{_styled('error:', 'red')} {message}", err=True)
    if hint:
        click.echo(f"{_styled('hint:', 'cyan')} {hint}", err=True)


def error_document(*, code: str, message: str, hint: str | None, exit_code: int) -> None:
    value = {"code": code, "message": message, "hint": hint, "exit_code": exit_code}
    import json

    click.echo(json.dumps({"error": value}, ensure_ascii=False), err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under headings, in columns as wide as their longest cell."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Write what is asked for about one thing: a name and a value in each line."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name.ljust(width)}  {value}")


def _styled(text: str, colour: str) -> str:
    if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty():
        return text
    return click.style(text, fg=colour, bold=True)
