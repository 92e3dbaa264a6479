"""The `sealstead` command: lazy sub-commands, one table of exit codes, one voice for errors."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from sealstead import errors
from sealstead.cli import output
from sealstead.cli.groups import LazyGroup, UnknownCommandError

EXIT_CODES: tuple[tuple[type[errors.SealsteadError], int], ...] = (
    (errors.InputError, 2),
    (errors.KeyUnavailableError, 3),
    (errors.UpstreamError, 5),
    (errors.SealsteadError, 1),
)
"""First match wins (DESIGN §9)."""

USAGE = 2
INTERNAL = 70
INTERRUPTED = 130
BROKEN_PIPE = 1
"""As click itself ends when a write fails; the reader had enough, so nothing is said."""

_COMMANDS = {
    "serve": ("sealstead.cli.server:serve", "Run the server."),
    "admin": ("sealstead.cli.server:admin", "Look after a server: accounts, tokens, schema, health."),
    "profile": ("sealstead.cli.profile.main:profile", "A publisher's own keys, profile and proofs."),
    "signing": ("sealstead.cli.signing.main:signing", "Sign files with keys that a server holds."),
    "demo": ("sealstead.cli.demo.story:demo", "Watch real programs publish, install, rotate and revoke."),
    "completion": (
        "sealstead.cli.completion:completion",
        "Print a script that completes commands in a shell.",
    ),
}


@click.group(
    cls=LazyGroup,
    places=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  sealstead demo                       watch the main job with real programs
  sealstead serve                      run a server for this user
  sealstead admin create-user ada --email ada@example.org
""",
)
@click.version_option(package_name="sealstead", message="%(prog)s %(version)s")
def cli() -> None:
    """One home for every key and token a software publisher ships with."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process. No trace ever reaches a user who did not ask for it."""
    sys.exit(run(cli, "sealstead", list(sys.argv[1:] if arguments is None else arguments)))


def leave(code: int) -> NoReturn:
    """End the process as `sys.exit` does, but let the system take back all of its memory at once.

    Python would first take apart, one by one, what a short command has taken a seventh of its time to import.
    """
    # Those that nobody waits for go with the process. Python would end them wherever they are, in a library too, which
    # may then end the process with words of its own.
    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        sys.exit(code)  # which waits for them
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public one
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 - whatever it is, Python knows how to end with it
        sys.exit(code)
    os._exit(code)


def run(command: click.Command, name: str, arguments: list[str]) -> int:
    """Run `command` and return the exit code; every error has been told."""
    as_json = "--json" in arguments
    _open_streams()
    try:
        _check_directory()
        result: Any = command.main(
            args=arguments, prog_name=name, standalone_mode=False, terminal_width=_width(command)
        )
        output.flush()
    except errors.SealsteadError as exc:
        if isinstance(exc, output.UnwritableOutputError):
            _forget_output()
        return _told(exc.code, exc.message, exc.hint, exit_code_of(exc), as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as exc:
        output.note(exc.format_message())
        return USAGE
    except click.UsageError as exc:
        return _told("usage", *_usage(exc, _path(command, name, arguments)), USAGE, as_json=as_json)
    except click.ClickException as exc:
        return _told("usage", _fact(exc.format_message()), None, USAGE, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except Exception as exc:  # noqa: BLE001 - the last line of defence: no trace reaches a user
        return _unexpected(exc, as_json=as_json)
    return result if isinstance(result, int) else 0


def _unexpected(exc: Exception, *, as_json: bool) -> int:
    if isinstance(exc, OSError) and _came_from_click(exc):
        _forget_output()
        full = output.unwritable(exc)
        return _told(full.code, full.message, full.hint, exit_code_of(full), as_json=as_json)
    if isinstance(exc, OSError) and (refused := output.unusable(exc)) is not None:
        return _told(refused.code, refused.message, refused.hint, exit_code_of(refused), as_json=as_json)
    if os.environ.get("SEALSTEAD_DEBUG") == "1":
        import traceback  # costs milliseconds at each start

        output.note("".join(traceback.format_exception(exc)))
    return _told(
        "internal",
        f"unexpected {type(exc).__name__}: this is a mistake in Sealstead",
        "run it again with SEALSTEAD_DEBUG=1 for the details, and report them",
        INTERNAL,
        as_json=as_json,
    )


def _came_from_click(exc: OSError) -> bool:
    """Whether click failed to write a help text or a version, which it writes past `output`."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "click.utils"


class NoDirectoryError(errors.InputError):
    """The directory that the command was started in is gone."""

    code = "no-directory"


def _check_directory() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib costs milliseconds at each start
    except FileNotFoundError as exc:
        raise NoDirectoryError("the current directory is gone", hint="cd to one that is there") from exc


def _open_streams() -> None:
    """Take the places of streams that the caller has closed: else the next file that is opened, a key perhaps, would
    have the number of one, and get what is written there. Of data that nobody can get, `output` tells.
    """
    for name, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)  # the lowest that is free
            if name != "stdout":
                setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w"))


def _width(command: click.Command) -> int:
    """Return how wide help is, as click finds it; without `shutil`, which imports what unpacks archives."""
    try:
        wide = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        wide = 0
    if wide <= 0:
        try:
            wide = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError):
            wide = 0
    most: int = command.context_settings.get("max_content_width", 80)
    return max(min(wide or 80, most) - 2, 50)


def _forget_output() -> None:
    # What is still buffered would fail again at exit, loudly.
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code_of(exc: errors.SealsteadError) -> int:
    return next(code for family, code in EXIT_CODES if isinstance(exc, family))


def _told(code: str, message: str, hint: str | None, exit_code: int, *, as_json: bool) -> int:
    if as_json:
        output.error_document(code=code, message=message, hint=hint, exit_code=exit_code)
    else:
        output.error(message, hint)
    return exit_code


def _path(command: click.Command, name: str, arguments: list[str]) -> str:
    """Name the command that these arguments lead to: where click's parser fails it does not say."""
    for argument in arguments:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), argument)
        if found is not None:
            command, name = found, f"{name} {argument}"
    return name


def _usage(exc: click.UsageError, path: str) -> tuple[str, str]:
    path = exc.ctx.command_path if exc.ctx else path
    hint = f"{path} --help shows what it takes"
    match exc:
        case UnknownCommandError():
            return f"{path}: {exc.message}", exc.hint or hint
        case click.NoSuchOption():
            import difflib

            group = exc.ctx is not None and isinstance(exc.ctx.command, click.Group)
            near = difflib.get_close_matches(
                exc.option_name, _options(exc.ctx), n=1, cutoff=0.8 if group else 0.6
            )
            if group and not near:
                hint = f"options come after the command: {path} COMMAND {exc.option_name}"
            return (
                f"{path}: no option is called {exc.option_name}",
                f"did you mean {near[0]}?" if near else hint,
            )
        case click.MissingParameter(param=click.Option() as option):
            return f"{path}: {option.opts[0]} is missing", hint
        case click.MissingParameter(param=click.Argument() as argument):
            return f"{path}: {(argument.name or '').upper()} is missing", hint
        case _:
            return f"{path}: {_fact(exc.format_message())}", hint


def _options(ctx: click.Context | None) -> list[str]:
    return [name for parameter in (ctx.command.params if ctx else []) for name in parameter.opts]


def _fact(message: str) -> str:
    """Turn one of click's sentences into our form: no capital, no full stop, one line."""
    line = " ".join(message.split()).rstrip(".")
    return line[:1].lower() + line[1:]
