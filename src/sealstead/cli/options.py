"""Options that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _default_data_dir() -> Path:
    import platformdirs  # most commands have no such option, and need not wait for it

    return platformdirs.user_data_path("sealstead", appauthor=False)


def data_dir_option(command: F) -> F:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        envvar="SEALSTEAD_DATA_DIR",
        # As `server.datadir.default_data_dir`; that module is not imported for the text of a help page.
        default=_default_data_dir,
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
    platform = sys.platform
    if platform == "linux":
        # As the library below finds it, which imports what packs archives.
        named = os.environ.get("XDG_CACHE_HOME", "")
        return (Path(named) if named.startswith("/") else Path("~/.cache").expanduser()) / "sealstead"
    import platformdirs

    return platformdirs.user_cache_path("sealstead", appauthor=False)
