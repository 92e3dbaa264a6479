"""Passphrases of secret keys: from a file, standard input, the environment, or the person at the terminal.

Never from an argument: other users can read the command line of a process, and shells remember it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from sealstead.errors import InputError
from sealstead.formats.minisign_key import MAX_PASSPHRASE_BYTES
from sealstead.secret import Secret

VARIABLE = "PYPI_PROFILE_KEY_PASSWORD"
NEW_VARIABLE = "PYPI_PROFILE_NEW_KEY_PASSWORD"


class PassphraseError(InputError):
    """What was given as a passphrase cannot be one, or was given twice."""

    code = "passphrase"


class NoTerminalError(InputError):
    """`--interactive`, and nobody to ask."""

    code = "no-terminal"


def can_ask(interactive: bool | None) -> bool:
    """Tell whether questions may be asked: both ends are a terminal, unless the user said otherwise.

    Raises:
        NoTerminalError: `--interactive` was given, and there is no terminal to read from.
    """
    if interactive is None:
        return sys.stdin.isatty() and sys.stdout.isatty()
    if interactive and not sys.stdin.isatty():
        raise NoTerminalError("there is no terminal to ask questions at", hint="leave --interactive out")
    return interactive


class Passphrases:
    """Where passphrases come from; each line of standard input and each source is read once."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        interactive: bool,
        from_stdin: bool = False,
        file: Path | None = None,
        new_file: Path | None = None,
    ) -> None:
        if from_stdin and (file is not None or new_file is not None):
            raise PassphraseError("two passphrases were given", hint="--password-stdin or a file, not both")
        self._environ = environ
        self._interactive = interactive
        self._from_stdin = from_stdin
        self._file = file
        self._new_file = new_file
        self._current: Secret[str] | None = None

    @property
    def named(self) -> bool:
        """Whether an option says where the passphrase is; the environment's may be for another key."""
        return self._from_stdin or self._file is not None

    def current(self, question: str) -> Secret[str] | None:
        """Return the passphrase that opens a key, asked for once; None: nothing was given and nobody can be asked.

        Raises:
            PassphraseError: what was given cannot be a passphrase.
        """
        if self._current is None:
            self._current = self._given(self._file, VARIABLE)
            if self._current is None and self._interactive:
                self._current = _checked(click.prompt(question, hide_input=True, err=True), "the passphrase")
        return self._current

    def given(self) -> Secret[str] | None:
        """Return the passphrase that opens a key, if nobody has to be asked for it."""
        return self._current or self._given(self._file, VARIABLE)

    def new(
        self,
        question: str,
        *,
        ask: bool,
        variables: tuple[str, ...] = (VARIABLE,),
        file_too: bool = True,
    ) -> Secret[str] | None:
        """Return the passphrase of a key that is going to be written; None: none is wanted.

        `ask`: typed twice at the terminal if it is not given otherwise. `file_too`: the file is for this one; else it
        holds the present passphrase.

        Raises:
            PassphraseError: it cannot be a passphrase, or it was to be asked for where there is no terminal.
        """
        given = self._given(self._new_file or (self._file if file_too else None), *variables)
        if given is not None or not ask:
            return given
        if not sys.stdin.isatty():
            raise PassphraseError(
                "there is no terminal to ask for the passphrase",
                hint=f"give it with --password-stdin, --password-file or {variables[0]}",
            )
        typed = click.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        return _checked(typed, "the passphrase")

    def _given(self, file: Path | None, *variables: str) -> Secret[str] | None:
        if self._from_stdin:
            return _checked(_first_line(sys.stdin.readline()), "the line on standard input")
        if file is not None:
            return _checked(_read(file), f"the first line of {file}")
        for variable in variables:
            if self._environ.get(variable):
                return _checked(self._environ[variable], variable)
        return None


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            line = opened.readline(MAX_PASSPHRASE_BYTES + 3)
    except OSError as exc:
        raise PassphraseError(f"{file} cannot be read: {exc.strerror}") from exc
    return _first_line(line.decode("utf-8", "surrogateescape"))


def _first_line(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _checked(text: str, what: str) -> Secret[str]:
    if not text:
        raise PassphraseError(f"{what} is empty")
    if len(text.encode("utf-8", "surrogateescape")) > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(f"{what} is too long", hint=f"at most {MAX_PASSPHRASE_BYTES} bytes")
    if "\0" in text or "\n" in text:
        raise PassphraseError(f"{what} has characters that nobody could type")
    return Secret(text)
