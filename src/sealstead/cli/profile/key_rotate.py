"""`key-rotate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.lifecycle_options import chosen_overlap, overlap_options
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_options,
)
from sealstead.cli.profile.replacing import (
    DECLINED,
    agreed,
    as_document,
    finished,
    locked,
    passphrase_for_new,
    proof_options,
    successor_options,
    tell_next,
    tell_pages,
    tell_warnings,
)
from sealstead.identity.rekeyed import Rekeyed
from sealstead.identity.rotate import Rotation


@click.command(
    "key-rotate",
    epilog="""\b
Examples:
  pypi-profile key-rotate pypi_profile.toml
  pypi-profile key-rotate pypi_profile.toml --overlap 7d
  pypi-profile key-rotate pypi_profile.toml --no-keep-old --force

A new pair is made, the profile gets its public key, every stored proof is signed again, and the old key goes to the
archive (key-restore brings it back). An encrypted key is followed by one with the same passphrase. If it is
interrupted, run it again: it finishes, or everything is as before. For a key that is gone: key-recover.
""",
)
@click.argument("source", required=False, type=click.Path())
@key_options
@successor_options
@overlap_options
@click.option(
    "--no-keep-old", is_flag=True, help="Destroy the old key in the end. Without a terminal it needs --force."
)
@click.option("--force", is_flag=True, help="Replace without asking.")
@proof_options
@interactive_option
@dry_run_option
@json_option
def key_rotate(
    *,
    ask_password: bool,
    new_password_file: Path | None,
    overlap: str | None,
    overlap_days: int | None,
    no_keep_old: bool,
    force: bool,
    expires: str | None,
    profile_package: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Replace a key that you still have.

    SOURCE is the profile: a TOML file, or a directory with one. Default: the profile here.
    """
    from sealstead.identity.places import index_entries
    from sealstead.identity.proofs import parse_expiry
    from sealstead.identity.rotate import check_rotation, preview, rotate
    from sealstead.identity.standing import revoked_since

    length = chosen_overlap(overlap, overlap_days)
    context = open_context(**options, writes=not dry_run)
    if (done := finished(context, "key-rotate")) is not None:
        _tell(done, as_json=as_json)
        return 0
    with locked(context, dry_run=dry_run) as context:
        old = context.signing_key()
        rotation = Rotation(
            profile=context.profile,
            old=old,
            explicit=context.explicit,
            overlap=length,
            keep_old=not no_keep_old,
            proofs_end=parse_expiry(expires, context.at),
            package=profile_package,
            remembered=revoked_since(None, index_entries(context.places), old.public, context.at)
            if old.public is not None
            else None,
        )
        check_rotation(rotation, at=context.at)
        if dry_run:
            _tell(preview(context.places, rotation, at=context.at), as_json=as_json)
            return 0
        name = f"{old.public.id} of {old.identity}" if old.public else f"of {old.identity}"
        question = f"Replace key {name}" + (", and destroy it for good?" if no_keep_old else "?")
        if not agreed(context, question, force=force, needed=no_keep_old):
            return DECLINED
        done = rotate(
            context.places,
            rotation,
            at=context.at,
            open_key=context.open,
            new_passphrase=passphrase_for_new(
                context, ask=ask_password, file=new_password_file, sealed=old.file.encrypted
            ),
        )
    _tell(done, as_json=as_json)
    return 0


def _tell(done: Rekeyed, *, as_json: bool) -> None:
    tell_warnings(done.warnings)
    if as_json:
        output.document(as_document(done))
        return
    rows = [("identity", done.identity), ("old key", done.old_id or "unknown before it is opened")]
    if done.dry_run:
        output.note("nothing was written")
    else:
        rows += [("new key", done.new_id or ""), ("public key", done.new_public_key or "")]
    rows.append(("secret key", str(done.secret_path)))
    if done.archived_path is not None:
        rows.append(("archived", str(done.archived_path)))
    elif not done.dry_run:
        rows.append(("archived", "no: the old key is destroyed"))
    if done.retires_at is not None:
        rows.append(("retiring", f"the old key is believed until {done.retires_at:%Y-%m-%d %H:%M} UTC"))
    if done.profile_path is not None:
        rows.append(("profile", str(done.profile_path)))
    else:
        output.warning("there is no profile here: only the key was replaced, nothing names it yet")
    output.facts(rows)
    tell_pages(done.pages, signed=not done.dry_run)
    if done.profile_path is not None and not done.dry_run:
        tell_next()
