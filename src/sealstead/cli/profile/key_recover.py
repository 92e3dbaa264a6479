"""`key-recover`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_options,
)
from sealstead.cli.profile.replacing import (
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
from sealstead.identity.profile import NoProfileError, ProfileFile
from sealstead.identity.rekeyed import Rekeyed


@click.command(
    "key-recover",
    epilog="""\b
Examples:
  pypi-profile key-recover pypi_profile.toml
  pypi-profile key-recover pypi_profile.toml --force

If a secret key that fits the profile is still here, nothing is changed (exit code 1): key-rotate replaces it, and both
keys sign for that. --force goes on, for instance where its passphrase is lost; what is here goes to the archive.
""",
)
@click.argument("source", required=False, type=click.Path())
@key_options
@successor_options
@click.option("--force", is_flag=True, help="Go on although the key is still here, without asking.")
@proof_options
@interactive_option
@dry_run_option
@json_option
def key_recover(
    *,
    ask_password: bool,
    new_password_file: Path | None,
    force: bool,
    expires: str | None,
    profile_package: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Replace a key that is lost.

    SOURCE is the profile: a TOML file, or a directory with one. Default: the profile here.
    """
    from sealstead.identity.proofs import parse_expiry
    from sealstead.identity.recover import check_lost, find_usable, preview, recover

    context = open_context(**options, writes=not dry_run)
    profile = _profile(context)
    if (done := finished(context, "key-recover")) is not None:
        _tell(done, present=False, as_json=as_json)
        return 0
    ends = parse_expiry(expires, context.at)
    with locked(context, dry_run=dry_run) as context:
        profile = _profile(context)
        search = find_usable(context.places, context.identity, profile, explicit=context.explicit)
        if not force:
            check_lost(search, profile)
        found = search.found
        if dry_run:
            planned = preview(context.places, context.identity, profile, found, explicit=context.explicit)
            _tell(planned, present=found is not None, as_json=as_json)
            return 0
        done = recover(
            context.places,
            context.identity,
            profile,
            found,
            at=context.at,
            new_passphrase=passphrase_for_new(
                context, ask=ask_password, file=new_password_file, sealed=False
            ),
            explicit=context.explicit,
            proofs_end=ends,
            package=profile_package,
        )
    _tell(done, present=found is not None, as_json=as_json)
    return 0


def _profile(context: KeyContext) -> ProfileFile:
    if context.profile is None:
        raise NoProfileError(
            "there is no profile here to recover the key of", hint="name it: key-recover FILE"
        )
    return context.profile


def _tell(done: Rekeyed, *, present: bool, as_json: bool) -> None:
    tell_warnings(done.warnings)
    if as_json:
        document = as_document(done)
        urls = document["updated_urls"]
        output.document(document | {"key_was_present": present, "urls_needing_update": urls})
        return
    rows = [("identity", done.identity), ("old key", done.old_id or "none in the profile")]
    if done.dry_run:
        output.note("nothing was written")
    else:
        rows += [("new key", done.new_id or ""), ("public key", done.new_public_key or "")]
    rows.append(("secret key", str(done.secret_path)))
    if done.archived_path is not None:
        rows.append(("archived", str(done.archived_path)))
    rows.append(("profile", str(done.profile_path)))
    output.facts(rows)
    tell_pages(done.pages, signed=not done.dry_run)
    if done.pages:
        output.data("")
        output.data(
            "Until a page shows its new proof, a verifier calls its claim invalid: signed by an unknown key."
        )
    if done.old_id is not None:
        output.note(
            f"a verifier sees another key and no word of {done.old_id} about it, as after a takeover. If somebody may "
            f"have {done.old_id}: key-revoke --key {done.old_id}"
        )
    tell_next()
