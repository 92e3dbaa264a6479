"""Options that all commands share which rotate a credential."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from sealstead.durations import parse_duration
from sealstead.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


class TwoOverlapsError(InputError):
    """The overlap was given in two ways."""

    code = "two-overlaps"


def overlap_options(command: F) -> F:
    """Add `overlap` and `overlap_days`; `chosen_overlap` makes one of them."""
    command = click.option("--overlap-days", type=int, metavar="N", help="The same in days.")(command)
    return click.option(
        "--overlap",
        metavar="7d",
        help="Keep the old one good beside the new one for so long, at most 30d; without it the old one ends at once.",
    )(command)


def chosen_overlap(overlap: str | None, overlap_days: int | None) -> timedelta:
    """Return the overlap that was asked for; zero without one.

    Raises:
        TwoOverlapsError, InvalidDurationError: as they say.
    """
    if overlap is not None and overlap_days is not None:
        raise TwoOverlapsError(
            "--overlap and --overlap-days say the same thing twice", hint="use one of them"
        )
    if overlap_days is not None:
        overlap = f"{overlap_days}d"
    return parse_duration(overlap) if overlap is not None else timedelta(0)
