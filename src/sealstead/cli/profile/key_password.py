"""`key-password`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import open_context
from sealstead.cli.profile.options import (
    dry_run_option,
    interactive_option,
    key_option,
    key_options,
    password_options,
)


@click.command(
    "key-password",
    epilog="""\b
Examples:
  pypi-profile key-password set
  pypi-profile key-password change --keyring-identity work
  printf '%s\\n%s\\n' "$OLD" "$NEW" | pypi-profile key-password change --password-stdin

With --password-stdin, `set` reads the new passphrase, `change` the present one and in the next line the new one,
`remove` the present one. PYPI_PROFILE_KEY_PASSWORD holds the present one, PYPI_PROFILE_NEW_KEY_PASSWORD the new one.
The key stays the same: proofs and signatures stay good. Archived keys keep the passphrase that they had.
""",
)
@click.argument("action", type=click.Choice(["set", "change", "remove"]))
@key_options
@key_option
@password_options
@click.option(
    "--new-password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The new passphrase is the first line of this file.",
)
@interactive_option
@dry_run_option
@json_option
def key_password(*, action: str, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Set, change or remove the passphrase of a key."""
    from sealstead.identity.passphrase import Action, change_passphrase

    context = open_context(**options, writes=not dry_run, tolerant=options["keyring_identity"] is not None)
    asks = context.passphrases
    found = context.current_key()
    done = change_passphrase(
        context.places,
        found,
        Action(action),
        current=lambda: asks.current(f"Present passphrase of key {found.identity}"),
        new=lambda: asks.new(
            f"New passphrase of key {found.identity}",
            ask=context.interactive,
            variables=_new_variables(action),
            file_too=action == "set",
        ),
        dry_run=dry_run,
    )
    for warning in done.warnings:
        output.warning(warning)
    if as_json:
        output.document(
            {
                "dry_run": dry_run,
                "identity": done.identity,
                "key_id": done.public.id,
                "encrypted": done.encrypted,
                "path": str(done.path) if done.path else None,
                "stored_in_keyring": done.in_keyring,
                "warnings": list(done.warnings),
            }
        )
        return
    would = "would be" if dry_run else "is"
    output.data(
        f"key {done.public.id} of {done.identity} {would} {'encrypted' if done.encrypted else 'in the clear'} now"
    )


def _new_variables(action: str) -> tuple[str, ...]:
    from sealstead.cli.profile.passphrases import NEW_VARIABLE, VARIABLE

    # A key without a passphrase has no present one that the variable could mean.
    return (NEW_VARIABLE, VARIABLE) if action == "set" else (NEW_VARIABLE,)
