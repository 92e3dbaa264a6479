"""What commands ask for: secrets by prompt or from stdin, never as an argument, where other users could read them."""

from __future__ import annotations

import sys

import click

from sealstead.errors import InputError


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
