"""`key-export` and `key-import`."""

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
    key_option,
    key_options,
    password_options,
)
from sealstead.cli.profile.passphrases import PassphraseError, Passphrases
from sealstead.cli.profile.replacing import finished_for, locked, tell_warnings
from sealstead.identity.places import FoundKey
from sealstead.identity.transfer import Import
from sealstead.secret import Secret


@click.command(
    "key-export",
    epilog="""\b
Examples:
  pypi-profile key-export --output backup-minisign.key
  printf '%s\\n' "$PASSPHRASE" | pypi-profile key-export --output backup-minisign.key --password-stdin

The copy is a minisign key file, for its owner alone (0600). At a terminal a passphrase for it is asked for. A key that
is encrypted already is copied as it is, unless another passphrase is given; PYPI_PROFILE_KEY_PASSWORD opens it then.
""",
)
@click.option(
    "--output", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where to."
)
@click.option("--key-id", metavar="KEY-ID", help="This key, which may be an archived one.")
@key_options
@key_option
@click.option(
    "--password-stdin", is_flag=True, help="Encrypt the copy with the first line of standard input."
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Encrypt the copy with the first line of this file.",
)
@click.option("--no-password", is_flag=True, help="Do not encrypt the copy, and do not ask.")
@click.option("--force", is_flag=True, help="Replace FILE without asking.")
@interactive_option
@dry_run_option
@json_option
def key_export(
    *,
    target: Path,
    key_id: str | None,
    password_stdin: bool,
    password_file: Path | None,
    no_password: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a copy of the secret key to a file."""
    from sealstead.identity.export import Exported, check_target, export, target_path
    from sealstead.identity.lookup import find_by_id

    if no_password and (password_stdin or password_file is not None):
        raise PassphraseError("--no-password, and yet a passphrase was given", hint="use one of the two")
    context = open_context(**options, writes=not dry_run, tolerant=options["keyring_identity"] is not None)
    written = finished_for(context, "key-export", target=str(target_path(target)))
    path = check_target(target, force=force or written)
    with locked(context, dry_run=dry_run) as context:
        found = find_by_id(context.places, key_id) if key_id is not None else context.current_key()
        for_copy = Passphrases(
            environ={}, interactive=context.interactive, from_stdin=password_stdin, file=password_file
        )
        new = None if no_password else _wanted(context, found, for_copy)
        if dry_run:
            encrypted = (found.file.encrypted and not no_password) or new is not None
            done = Exported(path=path, found=found, key=found.public, encrypted=encrypted, dry_run=True)
        else:
            done = export(
                context.places,
                found,
                path,
                new_passphrase=new,
                decrypted=no_password,
                open_key=context.open,
            )
    if done.warning:
        output.warning(done.warning)
    if done.aside:
        output.note(f"another secret key stood there; it is now {done.aside}")
    place = str(found.path) if found.path else f"keyring entry {found.identity}"
    if as_json:
        output.document(
            {
                "dry_run": dry_run,
                "identity": found.identity,
                "key_id": done.key.id if done.key else None,
                "source": place,
                "written_to": str(done.path),
                "encrypted": done.encrypted,
                "kept_aside": str(done.aside) if done.aside else None,
                "warning": done.warning,
            }
        )
        return
    if dry_run:
        output.note("nothing was written")
    output.facts(
        [
            ("key", f"{done.key.id if done.key else 'encrypted'} of {found.identity}"),
            ("from", place),
            ("written to", f"{done.path}{', encrypted' if done.encrypted else ''}"),
        ]
    )


def _wanted(context: KeyContext, found: FoundKey, for_copy: Passphrases) -> Secret[str] | None:
    """Return the passphrase for the copy; None: the copy is like the key."""
    given = for_copy.new("", ask=False)
    if given is not None or found.file.encrypted or not context.interactive:
        return given
    typed: str = click.prompt(
        "Passphrase for the copy (empty: none)",
        default="",
        show_default=False,
        hide_input=True,
        confirmation_prompt="The passphrase again",
        err=True,
    )
    return Secret(typed) if typed else None


@click.command(
    "key-import",
    epilog="""\b
Examples:
  pypi-profile key-import backup-minisign.key
  pypi-profile key-import backup-minisign.key --keyring-identity work --force

FILE is a minisign secret key, encrypted or not; it is checked, and has to be the key that the profile here names, if it
names one. An encrypted key needs its passphrase once, to be checked, and stays encrypted. A key that gives way goes to
the archive.
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@key_options
@password_options
@click.option(
    "--force",
    is_flag=True,
    help="Replace a key of this identity, or import one that does not fit, without asking.",
)
@interactive_option
@dry_run_option
@json_option
def key_import(*, file: Path, force: bool, dry_run: bool, as_json: bool, **options: Any) -> int:
    """Put a secret key from a file in its place."""
    from sealstead.identity.slots import slot_of
    from sealstead.identity.transfer import import_key, load_import, open_import

    context = open_context(**options, writes=not dry_run)
    blob = load_import(file)
    key = open_import(file, blob, lambda: context.passphrases.current(f"Passphrase of {file.name}"))
    with locked(context, dry_run=dry_run) as context:
        order = Import(
            slot=slot_of(context.places, context.identity, context.explicit),
            blob=blob,
            key=key,
            profile=context.profile,
            identity_named=context.identity_named,
        )
        warnings = _checked(context, order, force=force)
        done = import_key(context.places, order, at=context.at, warnings=warnings, dry_run=dry_run)
    tell_warnings(done.warnings)
    if as_json:
        output.document(
            {
                "dry_run": dry_run,
                "identity": done.identity,
                "key_id": done.key.id,
                "public_key": done.key.line,
                "encrypted": done.encrypted,
                "stored_on_disk": True,
                "disk_path": str(done.path),
                "stored_in_keyring": done.in_keyring,
                "archived": [str(path) for path in done.archived],
                "profile_updated": str(done.profile_written) if done.profile_written else None,
                "fits_profile": done.fits,
                "unchanged": done.unchanged,
                "warnings": list(done.warnings),
            }
        )
        return 0
    if dry_run:
        output.note("nothing was written")
    rows = [
        ("identity", done.identity),
        ("key id", f"{done.key.id}{' (was here already)' if done.unchanged else ''}"),
        ("secret key", f"{done.path}{', encrypted' if done.encrypted else ''}"),
        ("keyring", "stored" if done.in_keyring else f"not stored{_reason(context)}"),
    ]
    rows += [("archived", str(path)) for path in done.archived]
    if done.profile_written is not None:
        rows.append(("profile", f"{done.profile_written} names this key"))
    elif done.fits:
        rows.append(("profile", "names this key"))
    output.facts(rows)
    return 0


def _checked(context: KeyContext, order: Import, *, force: bool) -> list[str]:
    """Return warnings; at a terminal, ask before a key gives way or one comes that does not fit."""
    from sealstead.identity.transfer import MisfitError, SlotTakenError, check_import

    try:
        return check_import(context.places, order, force=force, at=context.at)
    except (MisfitError, SlotTakenError) as exc:
        if not context.interactive:
            raise
        output.note(exc.message)
        if not click.confirm("Import it all the same?", default=False, err=True):
            raise
    return check_import(context.places, order, force=True, at=context.at)


def _reason(context: KeyContext) -> str:
    return f": {context.places.keyring_reason}" if context.places.keyring_reason else ""
