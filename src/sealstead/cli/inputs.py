"""What commands ask for: secrets by prompt or from stdin, never as an argument, where other users could read them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sealstead.errors import InputError
from sealstead.secret import Secret


class NoPasswordError(InputError):
    """No password was given, and there is no terminal to ask at."""

    code = "no-password"


def new_password(*, from_stdin: bool) -> str:
    """Return a password for a new account: the first line of stdin, or typed twice at a terminal.

    Raises:
        NoPasswordError: nothing was given, or there is no terminal to ask at.
    """
    if from_stdin:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not password:
            raise NoPasswordError("standard input holds no password", hint="write it as the first line")
        return password
    if not sys.stdin.isatty():
        raise NoPasswordError(
            "there is no terminal to ask for the password", hint="give it on standard input: --password-stdin"
        )
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


class UnreadableInputError(InputError):
    """A file that was named cannot be read."""

    code = "unreadable-input"


def read_file(path: Path) -> bytes:
    """Return the content of a file that was named on the command line.

    Raises:
        UnreadableInputError
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UnreadableInputError(f"{path} cannot be read: {exc.strerror}") from exc


def file_password(*, from_stdin: bool) -> Secret[str] | None:
    """Return the password of a key file: the first line of stdin, else typed at a terminal; None if it is empty."""
    if from_stdin:
        typed = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    elif sys.stdin.isatty():
        typed = click.prompt(
            "Password of the file (none: press Enter)",
            hide_input=True,
            default="",
            show_default=False,
            err=True,
        )
    else:
        typed = ""
    return Secret(typed) if typed else None
