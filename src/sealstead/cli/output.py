"""The terminal voice: the only module that writes to stdout and stderr.

Data goes to stdout and nothing else does; notes, errors and questions go to stderr. An error is `error: what failed:
the fact`, then `hint: next step`; with `--json` both are one JSON object. Colour repeats what the words say already,
and is left out for `NO_COLOR`, `TERM=dumb` and anything that is no terminal. Control characters never get out: in a text
that somebody else wrote they could move the cursor, hide a line or forge one.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from sealstead.errors import InputError, UpstreamError

_CONTROL = {
    code: f"\\u{code:04x}"
    for first, last in (
        (0x00, 0x08),
        (0x0B, 0x1F),
        (0x7F, 0x9F),
        (0x061C, 0x061C),
        (0x200E, 0x200F),
        (0x2028, 0x202E),
        (0x2066, 0x2069),
    )
    for code in range(first, last + 1)
}
"""C0 and C1 but newline and tab, and what turns the direction of text; and how they are shown."""


_BAR = 40


class UnwritableOutputError(UpstreamError):
    """Standard output or standard error takes no more."""

    code = "unwritable-output"


class UnusablePathError(InputError):
    """A path that somebody named leads where the system lets nobody go, or nowhere at all."""

    code = "unusable-path"


_NO_WAY = frozenset({errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EROFS})
"""What the system says of a path, whatever was to be done there."""


def plain(text: str) -> str:
    """Show control characters instead of sending them."""
    return text.translate(_CONTROL)


def on_one_line(name: str) -> str:
    """Return the name of a file as it can stand in a line: one with a line end in it could forge another line."""
    return name.replace("\n", "\\u000a")


def _encoding(*, err: bool) -> str:
    return getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"


def _json(value: Any, *, indent: int | None = None, err: bool = False) -> None:  # noqa: ANN401 - as `document`
    """Write JSON that every reader takes, in ASCII where the stream could not take the text otherwise."""
    import json  # costs milliseconds at each start

    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    try:
        text.encode(_encoding(err=err))
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent, default=str)
    _write(plain(text), err=err)


def _write(text: str, *, err: bool = False) -> None:
    try:
        click.echo(text, err=err)
    except UnicodeEncodeError:
        # A code page without these letters, or a name of a file that holds bytes which are no text (PEP 383).
        encoding = _encoding(err=err)
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), err=err)
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise unwritable(exc) from exc


def check_open() -> None:
    """Return if what is asked for has a way out: for commands that show a secret once, before they make it.

    Raises:
        UnwritableOutputError: whoever started the process closed its standard output.
    """
    if sys.stdout is None:
        raise UnwritableOutputError(
            "the output cannot be written: standard output is closed",
            hint="open it, or send it to /dev/null where nobody wants it",
        )


def unwritable(exc: OSError) -> UnwritableOutputError:
    return UnwritableOutputError(
        f"the output cannot be written: {exc.strerror}",
        hint="the command may have done its work: look before running it again",
    )


def unusable(exc: OSError) -> UnusablePathError | None:
    """Return what to tell of a path that the system refuses; None: it is about no path, or about something else."""
    if not isinstance(exc.filename, str) or exc.errno not in _NO_WAY:
        return None
    return UnusablePathError(
        f"{exc.filename} cannot be used: {exc.strerror}",
        hint="is it the right path, and are you allowed to go there?",
    )


def data(text: str) -> None:
    """Write a line of what was asked for."""
    check_open()
    _write(plain(text))


def document(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """Write what was asked for as JSON."""
    check_open()
    _json(value, indent=2)


def flush() -> None:
    """See what was written through to whoever reads it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise unwritable(exc) from exc


def note(text: str) -> None:
    """Tell the person at the terminal something; scripts need not read it."""
    _write(plain(text), err=True)


def is_watched() -> bool:
    """Whether a person is likely to look at what goes to standard error."""
    return sys.stderr.isatty()


def note_over_progress(text: str) -> None:
    """As `note`, in the place of a progress bar that may be there; it is drawn again below."""
    clear = "\r\x1b[K" if is_watched() and os.environ.get("TERM") != "dumb" else ""
    _write(clear + plain(text), err=True)


def warning(text: str) -> None:
    """Tell of something that needs attention, and did not stop the command."""
    _write(f"{_styled('warning:', 'yellow')} {plain(text)}", err=True)


def error(message: str, hint: str | None = None) -> None:
    _write(f"{_styled('error:', 'red')} {plain(message)}", err=True)
    if hint:
        _write(f"{_styled('hint:', 'cyan')} {plain(hint)}", err=True)


def error_document(*, code: str, message: str, hint: str | None, exit_code: int) -> None:
    value = {"code": code, "message": message, "hint": hint, "exit_code": exit_code}
    _json({"error": value}, err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under headings, in columns as wide as their longest cell."""
    lines = [[plain(cell) for cell in line] for line in (headings, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        _write("  ".join(cells).rstrip())


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Write what is asked for about one thing: a name and a value in each line."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        _write(f"{name.ljust(width)}  {plain(value)}")


class Progress:
    """Shows on a terminal how many of `total` are done, once that takes longer than a second."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0.0
        self._shown = False
        self._began = time.monotonic()
        # One thing has no progress, and a log takes no bar.
        self._wanted = total > 1 and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Progress:  # noqa: PYI034 - Self costs the import of typing at each start
        return self

    def __exit__(self, *exc: object) -> None:
        self.clear()

    def advance(self, by: float) -> None:
        """`by` is in files; threads may call it, and a lost step shows a little less."""
        self._done += by
        if self._wanted and time.monotonic() - self._began > 1:
            self._shown = True
            filled = "#" * round(_BAR * self._done / self._total)
            click.echo(f"\r[{filled:<{_BAR}}] {int(self._done)} of {self._total}", err=True, nl=False)

    def clear(self) -> None:
        """Take the bar away, so that a line can be written."""
        if self._shown:
            self._shown = False
            click.echo("\r\x1b[K", err=True, nl=False)


_THEMES: dict[str, dict[str, str] | None] = {
    "general": {},
    "dark": {"red": "bright_red", "yellow": "bright_yellow", "cyan": "bright_cyan"},
    "light": {"yellow": "magenta", "cyan": "blue"},
    "none": None,
}
"""What each theme shows instead; yellow and cyan are hard to read on white."""

_theme: dict[str, str] | None = _THEMES["general"]


def choose_colours(theme: str) -> None:
    """Choose the colours of messages: General, Dark, Light or None."""
    global _theme  # noqa: PLW0603 - there is one terminal
    _theme = _THEMES[theme.lower()]


def choose_encoding(codec: str) -> None:
    """Read and write the standard streams in another encoding; what it lacks is written as an escape."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=codec, errors="replace" if stream is sys.stdin else "backslashreplace"
            )


def _styled(text: str, colour: str) -> str:
    if (
        _theme is None
        or "NO_COLOR" in os.environ
        or os.environ.get("TERM") == "dumb"
        or not sys.stderr.isatty()
    ):
        return text
    return click.style(text, fg=_theme.get(colour, colour), bold=True)
