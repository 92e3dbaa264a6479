"""Options that the commands of a profile share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class AskedPassphrase(click.Option):
    """A flag that habit may follow with a passphrase, which no message must repeat."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        if self.name and opts.get(self.name):
            following = [*args, *(text for text in [opts.get("source")] if isinstance(text, str))]
            if not all(map(os.path.lexists, following)):
                raise click.UsageError(
                    "a passphrase does not stand on the command line: --password asks for it", ctx
                )
        return super().handle_parse_result(ctx, opts, args)


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


def key_option(command: F) -> F:
    """Add `key`: a secret key file, in the place of the identity's own."""
    return click.option(
        "--key",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="This secret key file instead. Default: PYPI_PROFILE_KEY_PATH, else the key of the identity.",
    )(command)


def password_options(command: F) -> F:
    """Add `password_stdin` and `password_file`: where the passphrase of an encrypted key comes from."""
    command = click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The passphrase is the first line of this file.",
    )(command)
    return click.option(
        "--password-stdin",
        is_flag=True,
        help="The passphrase is the first line of standard input. Without it: PYPI_PROFILE_KEY_PASSWORD, "
        "else the question at a terminal.",
    )(command)


def new_password_options(command: F) -> F:
    """Add `ask_password`, `password_stdin` and `password_file`: the passphrase of a key to be made."""
    command = click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Encrypt with the first line of this file.",
    )(command)
    command = click.option(
        "--password-stdin",
        is_flag=True,
        help="Encrypt with the first line of standard input. PYPI_PROFILE_KEY_PASSWORD does so too.",
    )(command)
    return click.option(
        "--password",
        "ask_password",
        cls=AskedPassphrase,
        is_flag=True,
        help="Encrypt the secret key; the passphrase is asked for twice. Nothing follows this option: what stands "
        "on a command line, others can read.",
    )(command)
