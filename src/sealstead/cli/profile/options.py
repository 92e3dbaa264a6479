"""Options that the commands of a profile share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def key_options(command: F) -> F:
    """Add `keyring_identity`, `key_dir` and `no_keyring`: every command that touches a key takes them."""
    command = click.option(
        "--no-keyring", is_flag=True, help="Leave the system's keyring alone; key files only."
    )(command)
    command = click.option(
        "--key-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where key files are. Default: ~/.pypi_profile",
    )(command)
    return click.option(
        "--keyring-identity",
        metavar="NAME",
        help="Which of your keys. Default: PYPI_PROFILE_KEYRING_USERNAME, else identity.pypi_username of the "
        "profile here, else `default`.",
    )(command)


def interactive_option(command: F) -> F:
    """Add `interactive`: None means to ask when stdin and stdout are terminals."""
    return click.option(
        "--interactive/--no-interactive",
        default=None,
        help="Ask questions, or never. Default: ask when this is a terminal.",
    )(command)


def dry_run_option(command: F) -> F:
    return click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")(command)
