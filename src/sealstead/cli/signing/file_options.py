"""Options of the commands that work on files: which files, how many at a time, which time-stamp servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sealstead.cli import output
from sealstead.cli.signing.options import SigningOptions

if TYPE_CHECKING:
    from sealstead.codesign.stamper import Stamper
    from sealstead.codesign.targets import Target

F = TypeVar("F", bound=Callable[..., Any])

DIGESTS = ("SHA256", "SHA384", "SHA512")
DEFAULT_JOBS = 4
_MOST_JOBS = 64

_FILES = (
    click.argument("files", nargs=-1, metavar="FILE..."),
    click.option(
        "--file-list",
        metavar="FILE",
        help="File that names files and patterns, one in each line.",
    ),
    click.option(
        "--continue-on-failure",
        "go_on",
        is_flag=True,
        help="Go on with the other files when one fails; the exit code still tells of it.",
    ),
    click.option(
        "--max-degree-of-parallelism",
        "jobs",
        type=click.IntRange(min=1, max=_MOST_JOBS),
        metavar="N",
        default=DEFAULT_JOBS,
        show_default=True,
        help="How many files at a time.",
    ),
)
_TIMESTAMP = (
    click.option(
        "--tr",
        "--timestamp-server",
        "timestamp_server",
        metavar="URL",
        help="Time-stamp server (RFC 3161). Default: timestampServer of the settings file.",
    ),
    click.option(
        "--td",
        "--timestamp-digest",
        "timestamp_digest",
        type=click.Choice(DIGESTS, case_sensitive=False),
        metavar="[SHA256|SHA384|SHA512]",
        help="Hash algorithm of the time-stamp. Default: timestampDigest of the settings file, else SHA256.",
    ),
    click.option(
        "--fallback-timestamp-server",
        "fallbacks",
        metavar="URL",
        multiple=True,
        help="Asked when the others give no time-stamp; may be given several times.",
    ),
)


def file_options(command: F) -> F:
    for option in reversed(_FILES):
        command = option(command)
    return command


def timestamp_options(command: F) -> F:
    for option in reversed(_TIMESTAMP):
        command = option(command)
    return command


def chosen_targets(
    options: SigningOptions, files: Sequence[str], file_list: str | None, *, missing: list[str] | None
) -> list[Target]:
    """Return the files that were named; `missing` takes what leads to none, where one goes on without.

    Raises:
        NoTargetsError, FileListError: as they say.
    """
    from sealstead.codesign.targets import find_targets, read_file_list

    patterns = list(files)
    if file_list is not None:
        patterns += read_file_list(options.path(file_list), encoding=options.encoding or "utf-8")
    return find_targets(patterns, base=options.base_directory, missing=missing)


def bring_back(targets: Sequence[Target], *, dry_run: bool) -> None:
    """Undo what a run that was ended left half-written beside the targets.

    Raises:
        ForeignJournalError, TargetUnwritableError: as `recover`.
    """
    from sealstead.codesign.undo import recover
    from sealstead.codesign.undo_journal import journals

    told = {
        "undone": "an earlier run was ended while it wrote this file; it is as it was before",
        "finished": "an earlier run was ended just after it signed this file",
        "stale": "an earlier run was ended while it wrote this file, which is another one by now",
    }
    for directory in dict.fromkeys(target.path.parent for target in targets):
        if dry_run:
            if journals(directory):
                output.warning(f"{directory}: a run was ended here; signing brings its files back first")
            continue
        for one in recover(directory):
            output.note(f"{one.path}: {told[one.outcome]}")


def make_stamper(
    options: SigningOptions, server: str | None, digest: str | None, fallbacks: Sequence[str]
) -> Stamper | None:
    """Return what gets time-stamps, None if no server was named.

    Raises:
        ServerAddressError: one is no address.
    """
    first = server or options.config.text("timestampServer")
    urls = [*([first] if first else []), *fallbacks]
    if not urls:
        if digest is not None:
            raise click.UsageError("--td says how to time-stamp, and --tr does not say where")
        return None
    from sealstead.clock import SystemClock
    from sealstead.codesign.stamper import Stamper
    from sealstead.net.tsa import RETRIES, Authorities

    authorities = Authorities(urls, retries=min(options.retries, RETRIES))
    authorities.told = output.note
    authorities.tell_of_retries(options.tell_of_waiting)
    algorithm = (digest or options.config.text("timestampDigest") or DIGESTS[0]).upper()
    return Stamper(authorities, algorithm=algorithm, clock=SystemClock())


def listed_paths(options: SigningOptions, texts: Sequence[str]) -> list[Path]:
    """Return the paths of an option that takes several, separated by commas."""
    return [options.path(part.strip()) for text in texts for part in text.split(",") if part.strip()]
