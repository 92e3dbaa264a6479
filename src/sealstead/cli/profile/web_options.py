"""Options of the commands that look at other people's servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sealstead.net.pages import WebPages

F = TypeVar("F", bound=Callable[..., Any])

_SHORTEST, _LONGEST = 0.1, 600.0


def web_options(command: F) -> F:
    """Add `timeout`, `jobs` and `allow_private`."""
    command = click.option(
        "--allow-private",
        is_flag=True,
        help="Fetch from private addresses too: this machine's, and those of its network.",
    )(command)
    command = click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=8,
        show_default=True,
        metavar="N",
        help="How many pages are looked at at the same time, at most.",
    )(command)
    return click.option(
        "--timeout",
        type=click.FloatRange(_SHORTEST, _LONGEST),
        default=10,
        show_default=True,
        metavar="SECONDS",
        help="How long one page may take, with its redirects, to its last byte.",
    )(command)


def open_pages(*, timeout: float, allow_private: bool) -> WebPages:
    from sealstead.net.pages import Limits, WebPages

    return WebPages(limits=Limits(seconds=timeout), allow_private=allow_private)


def cache_file(name: str) -> Path:
    """Return where this user's cache keeps `name`."""
    from sealstead.cli.options import cache_dir

    return cache_dir() / name


def shown(text: str) -> str:
    """Return a text that strangers had a say in without what would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
