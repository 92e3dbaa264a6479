"""`rotate-key`: a new API key in the place of the old one, both good for a while."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealstead.cli import output
from sealstead.cli.signing.auth_status import moment
from sealstead.cli.signing.context import find_api_key, open_server
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.codesign.key_sources import KeySource
from sealstead.codesign.key_targets import KeyTarget
from sealstead.durations import InvalidDurationError, format_duration, parse_duration
from sealstead.errors import InputError
from sealstead.formats.ci_output import Emitter, parse_emitter
from sealstead.formats.credential_file import DEFAULT_NAME, FileKind, check_name

if TYPE_CHECKING:
    from sealstead.codesign.key_sources import FoundKey
    from sealstead.codesign.rotate import Outcome, Plan
    from sealstead.secret import Secret

_MOST_DAYS = 30


class EmitOutputError(InputError):
    """The key cannot be told to the build server in this way, here."""

    code = "emit-output"


@click.command(
    "rotate-key",
    epilog="""\b
Examples:
  SignotaurTool rotate-key --af ~/.signotaur/api_key.txt --write-key-file ~/.signotaur/api_key.txt
  SignotaurTool rotate-key --overlap-days 14 --emit-secret "continua:serverVar=SignotaurApiKey"
  SignotaurTool rotate-key --if-expiring-within 14d --write-env-file .env --emit-secret github:env=SIGN_KEY
""",
)
@click.option(
    "--overlap",
    metavar="7d",
    help="Keep the old key good for so long, at most 30d. Default: 7d, unless the server's policy says otherwise",
)
@click.option("--overlap-days", type=int, metavar="N", help="The same in days, 0 to 30.")
@click.option("--no-auto-revoke", is_flag=True, help="A person ends the old key; it does not end by itself.")
@click.option(
    "--if-expiring-within", "window", metavar="14d", help="Rotate only if the key ends within this time."
)
@click.option("--wk", "--write-key-file", "key_file", metavar="FILE", help="Write the new key alone, 0600.")
@click.option(
    "--we", "--write-env-file", "env_file", metavar="FILE", help="Write a dotenv line; the others are kept."
)
@click.option(
    "--wn",
    "--write-env-var-name",
    "variable",
    metavar="NAME",
    help=f"The variable in the dotenv file. Default: {DEFAULT_NAME}",
)
@click.option(
    "--emit-secret",
    "emitted",
    metavar="PLATFORM[:[HOW=]NAME]",
    help="Tell the build server the new key on standard output: github, azure, gitlab, teamcity, jenkins, continua, "
    "or a template with {key} in it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; make no key, write nothing.")
@click.option(
    "--force", is_flag=True, help="Write into a git work tree; throw away a foreign unfinished rotation."
)
@signing_options(server=True, key=True)
def rotate_key(
    options: SigningOptions,
    overlap: str | None,
    overlap_days: int | None,
    no_auto_revoke: bool,
    window: str | None,
    key_file: str | None,
    env_file: str | None,
    variable: str | None,
    emitted: str | None,
    dry_run: bool,
    force: bool,
) -> None:
    """Replace an API key; old and new are both good until the overlap ends.

    The new key is made here and put away before the server hears of it, so nothing is lost when this command is ended
    or an answer does not arrive: run it again, and it goes on.
    """
    from sealstead.codesign.rotate import Plan, check_plan, rotate

    if emitted is not None and options.as_json:
        raise EmitOutputError(
            "--emit-secret and --json both want standard output", hint="leave one of them out"
        )
    name = check_name(variable or DEFAULT_NAME)
    emitter = None if emitted is None else parse_emitter(emitted, default_name=name)
    if emitter is not None:
        output.check_open()
    append_to = _file_to_append(emitter)
    plan = Plan(
        targets=_targets(options, key_file, env_file, name),
        emits=emitter is not None,
        overlap=chosen(overlap, overlap_days),
        auto_revoke=not no_auto_revoke,
        state=options.config.path.parent,
        force=force,
        if_expiring_within=None if window is None else parse_duration(window),
    )
    found = find_api_key(options, exclusive=True)
    if dry_run:
        _rehearse(options, plan, found)
        return
    check_plan(plan, found)
    server = open_server(options, found)

    def emit(key: Secret[str], key_id: str) -> None:
        if emitter is not None:
            _emit(emitter, append_to, key, key_id)

    outcome = rotate(
        plan, found, server, reread=lambda: find_api_key(options, exclusive=True, again=True), emit=emit
    )
    _report(options, plan, found, outcome)


def chosen(overlap: str | None, overlap_days: int | None) -> timedelta | None:
    """Return the overlap, None: the server proposes it; raises TwoOverlapsError, InvalidDurationError."""
    from sealstead.cli.lifecycle_options import TwoOverlapsError

    if overlap is not None and overlap_days is not None:
        raise TwoOverlapsError(
            "--overlap and --overlap-days say the same thing twice", hint="use one of them"
        )
    if overlap_days is not None:
        if not 0 <= overlap_days <= _MOST_DAYS:
            raise InvalidDurationError(
                f"an overlap of {overlap_days} days is out of bounds", hint="0 to 30 days"
            )
        return timedelta(days=overlap_days)
    return None if overlap is None else parse_duration(overlap, longest=timedelta(days=_MOST_DAYS))


def _targets(
    options: SigningOptions, key_file: str | None, env_file: str | None, name: str
) -> tuple[KeyTarget, ...]:
    found = []
    if key_file is not None:
        found.append(KeyTarget(path=options.path(key_file), kind=FileKind.PLAIN, name=name))
    if env_file is not None:
        found.append(KeyTarget(path=options.path(env_file), kind=FileKind.DOTENV, name=name))
    if len({target.path for target in found}) != len(found):
        raise click.UsageError("--write-key-file and --write-env-file name the same file")
    return tuple(found)


def _file_to_append(emitter: Emitter | None) -> Path | None:
    """Return the file that the build server reads; refuse while nothing has been done yet."""
    if emitter is None or emitter.file_variable is None:
        return None
    named = os.environ.get(emitter.file_variable, "")
    path = Path(named)
    if not named or not path.is_file() or not os.access(path, os.W_OK):
        raise EmitOutputError(
            f"{emitter.file_variable} names no file that can be written: this is no step of GitHub Actions",
            hint="choose the build server that this runs on, or a template with {key} in it",
        )
    return path


def _emit(emitter: Emitter, append_to: Path | None, key: Secret[str], key_id: str) -> None:
    told = emitter.emit(key.reveal(), key_id=key_id)
    # What masks the key goes out first, and has left before the key is anywhere else.
    for line in told.stdout.removesuffix("\n").split("\n"):
        output.data(line)
    output.flush()
    if append_to is not None:
        try:
            with append_to.open("a+b") as file:
                # Another step may have left its line without an end, and ours would become a part of it.
                if end := file.seek(0, os.SEEK_END):
                    file.seek(end - 1)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(told.append.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise EmitOutputError(f"{append_to} cannot be written: {exc.strerror or exc}") from exc


def _rehearse(options: SigningOptions, plan: Plan, found: FoundKey) -> None:
    from sealstead.codesign.rotate import check_destination

    check_destination(plan)
    info = open_server(options, found).key_info()
    due = plan.if_expiring_within is None or (
        info.expires_in_seconds is not None
        and info.expires_in_seconds <= plan.if_expiring_within.total_seconds()
    )
    may = "ApiKeyRotator" in info.roles
    if options.as_json:
        output.document(
            {
                "dry_run": True,
                "would_rotate": due and may,
                "key": info.document,
                "overlap": None if plan.overlap is None else format_duration(plan.overlap),
                "targets": [str(target.path) for target in plan.targets],
            }
        )
        return
    if not due:
        output.note(f"{info.name} ({info.id}) ends {moment(info.expires_at)}: nothing would be done")
        return
    if not may:
        output.warning(f"{info.name} ({info.id}) lacks the role ApiKeyRotator: the server would refuse")
    places = [str(target.path) for target in plan.targets] + (["standard output"] if plan.emits else [])
    overlap = "as the server proposes" if plan.overlap is None else format_duration(plan.overlap)
    output.note(
        f"would replace {info.name} ({info.id}), overlap {overlap}, and write to " + ", ".join(places)
    )


def _report(options: SigningOptions, plan: Plan, found: FoundKey, outcome: Outcome) -> None:
    info, before = outcome.info, outcome.info.predecessor
    if options.as_json:
        output.document(
            {
                "rotated": outcome.rotated,
                "resumed": outcome.resumed,
                "key": info.document,
                "written_to": [str(target.path) for target in plan.targets] if outcome.rotated else [],
            }
        )
        return
    if not outcome.rotated:
        output.note(f"{info.name} ({info.id}) ends {moment(info.expires_at)}: not yet due, nothing was done")
        return
    if outcome.resumed:
        output.note("an unfinished rotation has been brought to its end; what it was asked for then holds")
    output.note(f"new key {info.id} of {info.name}, good until {moment(info.expires_at)}")
    for target in plan.targets:
        output.note(f"written to {target.path}")
    if not plan.targets:
        output.note(
            f"kept in {plan.state / 'pending'} until this command is run with the new key, in case the line is lost"
        )
    if before is not None:
        if before.retires_at is not None:
            output.note(
                f"old key {before.id}: revoked automatically by rotation from {moment(before.retires_at)}"
            )
        else:
            output.note(f"old key {before.id}: stays good until somebody revokes it")
    _warn_of_the_old(options, plan, found)


def _warn_of_the_old(options: SigningOptions, plan: Plan, found: FoundKey) -> None:
    """Say where the old key still stands."""
    if found.source is KeySource.ENVIRONMENT and not plan.emits:
        output.warning("the variable that held the old key still does: set it anew where it is defined")
    elif found.source is KeySource.CONFIG and found.path is None:
        output.warning(
            f"apiKey in {options.config.path} still is the old key: "
            "run `config unset apiKey` and `config set apiKeyFile FILE`"
        )
    elif found.path is not None and found.path not in {target.path for target in plan.targets}:
        output.warning(f"{found.path} still holds the old key")
