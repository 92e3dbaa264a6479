"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

F = TypeVar("F", bound=Callable[..., Any])


def data_dir_option(command: F) -> F:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        envvar="SEALSTEAD_DATA_DIR",
        # As `server.datadir.default_data_dir`; that module is not imported for the text of a help page.
        default=lambda: platformdirs.user_data_path("sealstead", appauthor=False),
        show_default=False,
        metavar="DIR",
        help="The server's data directory. Without it, SEALSTEAD_DATA_DIR, else the platform's place for data.",
    )(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Write the result, or the error, as JSON.")(
        command
    )


def cache_dir() -> Path:
    """Return where this user keeps what may be lost."""
    return platformdirs.user_cache_path("sealstead", appauthor=False)
