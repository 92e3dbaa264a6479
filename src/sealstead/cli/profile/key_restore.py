"""`key-restore`."""

from __future__ import annotations

from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_options,
    password_options,
)
from sealstead.cli.profile.replacing import (
    DECLINED,
    agreed,
    as_document,
    finished,
    locked,
    proof_options,
    tell_next,
    tell_pages,
    tell_warnings,
)
from sealstead.errors import InputError
from sealstead.identity.rekeyed import Rekeyed
from sealstead.identity.restore import Restoration


class NoKeyNamedError(InputError):
    """It was not said which key to bring back."""

    code = "no-key-named"


@click.command(
    "key-restore",
    epilog="""\b
Examples:
  pypi-profile key-list
  pypi-profile key-restore 0CBF7BEEBB5444E8
  pypi-profile key-restore --give-up

The key that is active now goes to the archive in its turn. A profile that names it gets the restored key, and its
stored proofs are signed again. --give-up is for a change that was interrupted and cannot be finished nor undone, since
files were edited meanwhile: everything stays as it is now, and every key is kept in the archive.
""",
)
@click.argument("key_id", required=False, metavar="KEY-ID")
@click.argument("source", required=False, type=click.Path())
@key_options
@password_options
@click.option("--give-up", is_flag=True, help="End an interrupted change: keep all files as they are now.")
@click.option("--force", is_flag=True, help="Replace without asking.")
@proof_options
@interactive_option
@dry_run_option
@json_option
def key_restore(
    *,
    key_id: str | None,
    give_up: bool,
    force: bool,
    expires: str | None,
    profile_package: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Bring an archived key back.

    KEY-ID is as key-list shows it. SOURCE is the profile. Default: the profile here.
    """
    from sealstead.identity.lookup import find_by_id
    from sealstead.identity.proofs import parse_expiry
    from sealstead.identity.restore import for_key, is_active, preview, restore

    if give_up:
        context = open_context(**options, writes=False)
        return _give_up(context, dry_run=dry_run, as_json=as_json)
    if key_id is None:
        raise NoKeyNamedError("no key is named", hint="key-list shows the archived ones; key-restore KEY-ID")
    context = open_context(**options, writes=not dry_run)
    done = finished(context, "key-restore")
    if done is not None and done.new_public_key and _is(key_id, done.new_public_key):
        _tell(done, as_json=as_json)
        return 0
    with locked(context, dry_run=dry_run) as context:
        identity = context.identity if context.identity_named else None
        archived = find_by_id(context.places, key_id, identity=identity)
        restoration = Restoration(
            archived=archived,
            profile=for_key(archived, context.profile),
            proofs_end=parse_expiry(expires, context.at),
            package=profile_package,
        )
        planned = preview(context.places, restoration, at=context.at)
        if is_active(restoration):
            return _already(planned, as_json=as_json)
        if dry_run:
            _tell(planned, as_json=as_json)
            return 0
        question = f"Bring key {planned.new_id or key_id} of {planned.identity} back?"
        if not agreed(context, question, force=force):
            return DECLINED
        done = restore(context.places, restoration, at=context.at, open_key=context.open)
    _tell(done, as_json=as_json)
    return 0


def _is(key_id: str, line: str) -> bool:
    from sealstead.formats.minisign import matches_key_id, parse_public_key

    return matches_key_id(key_id, parse_public_key(line))


def _already(planned: Rekeyed, *, as_json: bool) -> int:
    reason = f"key {planned.new_id} is the key of {planned.identity} already"
    if as_json:
        output.document({"restored": False, "reason": reason})
    else:
        output.note(f"{reason}: there is nothing to do")
    return 0


def _give_up(context: KeyContext, *, dry_run: bool, as_json: bool) -> int:
    from sealstead.identity.journal import find_pending, give_up

    waiting = find_pending(context.places.directory)
    kept = [] if dry_run or waiting is None else give_up(context.places)
    if as_json:
        output.document(
            {"dry_run": dry_run, "given_up": waiting is not None, "kept": [str(path) for path in kept]}
        )
    elif waiting is None:
        output.data("no change was left behind: there is nothing to give up")
    else:
        output.data(
            "the change would be given up"
            if dry_run
            else "the change is given up: all files stay as they are"
        )
        for path in kept:
            output.data(f"kept: {path}")
    return 0


def _tell(done: Rekeyed, *, as_json: bool) -> None:
    tell_warnings(done.warnings)
    if as_json:
        output.document(as_document(done) | {"restored": not done.dry_run})
        return
    if done.dry_run:
        output.note("nothing was written")
    rows = [("identity", done.identity), ("restored", done.new_id or "unknown before it is opened")]
    if done.old_id is not None:
        rows.append(("replaced", done.old_id))
    rows.append(("secret key", str(done.secret_path)))
    if done.archived_path is not None:
        rows.append(("archived", str(done.archived_path)))
    if done.profile_path is not None:
        rows.append(("profile", str(done.profile_path)))
    output.facts(rows)
    tell_pages(done.pages, signed=not done.dry_run)
    if done.profile_path is not None and not done.dry_run:
        tell_next()
