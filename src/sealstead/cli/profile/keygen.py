"""`keygen`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_options,
    new_password_options,
)

if TYPE_CHECKING:
    from sealstead.identity.generate import Generated


@click.command(
    epilog="""\b
Examples:
  pypi-profile keygen
  pypi-profile keygen --keyring-identity work
  pypi-profile keygen --password

The secret key goes to ~/.pypi_profile, readable by you alone, and to the system's keyring where there is one. A
pypi_profile.toml here gets the public key, if it names none yet. minisign can use the files.
""",
)
@key_options
@new_password_options
@click.option(
    "--force", is_flag=True, help="Replace the key of this identity without asking; it goes to the archive."
)
@interactive_option
@dry_run_option
@json_option
def keygen(
    *,
    ask_password: bool,
    force: bool,
    interactive: bool | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a signing key."""
    from sealstead.cli.profile.keys import show_info
    from sealstead.identity.generate import generate

    # For an identity that is named, nothing of the profile is needed: a broken one is told of, and left as it is.
    named = options["keyring_identity"] is not None
    context = open_context(**options, interactive=interactive, writes=not dry_run, tolerant=named)
    if _finished(context, "keygen") and not force:
        # The interrupted command was this one: it is done now, and a second key is not what was asked for.
        show_info(context, context.current_key(), as_json=as_json)
        return
    explicit = context.explicit and Path.cwd() / context.explicit
    if not force and not dry_run and context.interactive:
        force = _agreed(context, explicit)
    passphrase = context.passphrases.new(
        "Passphrase for the new key", ask=ask_password or interactive is True
    )
    made = generate(
        context.places,
        context.identity,
        at=context.at,
        passphrase=passphrase,
        profile=context.profile,
        explicit=explicit,
        replace=force,
        dry_run=dry_run,
    )
    if as_json:
        output.document(_generated(made, dry_run=dry_run))
    else:
        _tell(made, dry_run=dry_run)


def _finished(context: KeyContext, command: str) -> bool:
    recovered = context.recovered
    return bool(
        recovered
        and recovered.forward
        and (recovered.command, recovered.identity) == (command, context.identity)
    )


def _agreed(context: KeyContext, explicit: Path | None) -> bool:
    """Ask whether the key that is there is to be replaced; False: there is none."""
    from sealstead.identity.existing import KeyExistsError, check_free, look_at

    existing = look_at(context.places, context.identity, explicit=explicit)
    try:
        check_free(context.places, context.identity, existing, explicit=explicit)
    except KeyExistsError as exc:
        output.note(exc.message)
        if not click.confirm("Make a new key, and archive this one?", default=False, err=True):
            raise
        return True
    return False


def _tell(made: Generated, *, dry_run: bool) -> None:
    if dry_run:
        output.note("nothing was written; a new key would be kept so:")
    rows = [("identity", made.identity)]
    if not dry_run:
        # The id of a key that is thrown away is of no use to anybody.
        rows += [("key id", made.public.id), ("public key", made.public.line)]
    rows += [
        ("secret key", f"{made.secret_path}{', encrypted' if made.encrypted else ''}"),
        ("keyring", "stored" if made.in_keyring else f"not stored: {made.keyring_reason or 'see below'}"),
    ]
    if made.profile_path is not None:
        rows.append(("profile", f"{made.profile_path} names this key"))
    if made.archived_path is not None:
        rows.append(("old key", f"{made.replaced.id if made.replaced else 'unknown'}: {made.archived_path}"))
    output.facts(rows)
    _warn(made, dry_run=dry_run)


def _warn(made: Generated, *, dry_run: bool) -> None:
    for warning in made.warnings:
        output.warning(warning)
    if made.profile_names is not None:
        named = made.profile_names if isinstance(made.profile_names, str) else made.profile_names.id
        new = "another" if dry_run else made.public.id
        output.note(
            f"the profile was left as it is: it names key {named}, the new key of {made.identity} is {new}"
        )
    if made.proofs:
        output.warning(f"{made.proofs} stored proofs are of another key; renew them: update-proofs --force")


def _generated(made: Generated, *, dry_run: bool) -> dict[str, Any]:
    _warn(made, dry_run=dry_run)
    names = made.profile_names
    return {
        "dry_run": dry_run,
        "identity": made.identity,
        "key_id": None if dry_run else made.public.id,
        "public_key": None if dry_run else made.public.line,
        "encrypted": made.encrypted,
        "secret_key_path": str(made.secret_path),
        "public_key_path": str(made.public_path),
        "stored_in_keyring": made.in_keyring and not dry_run,
        "keyring_reason": made.keyring_reason,
        "profile_updated": str(made.profile_path) if made.profile_path else None,
        "profile_names": names.id if names is not None and not isinstance(names, str) else names,
        "replaced_key_id": made.replaced.id if made.replaced else None,
        "archived_path": str(made.archived_path) if made.archived_path else None,
        "warnings": list(made.warnings),
    }
