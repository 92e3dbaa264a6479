"""`sign-file` and `verify-file`: minisign signatures of any file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from sealstead.errors import KeyUnavailableError

if TYPE_CHECKING:
    from sealstead.formats.minisign_key import PublicKey
    from sealstead.identity.standing import Said

_FILE = click.Path(path_type=Path)


@click.command(
    "sign-file",
    epilog="""\b
Examples:
  pypi-profile sign-file dist/*
  pypi-profile sign-file --output release.sig --comment 'release 1.0' release.tar.gz

Writes FILE.minisig beside each file; `minisign -V` checks it too. A file is read in pieces, however long it is.
""",
)
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option(
    "--output", "target", type=_FILE, metavar="FILE", help="Write the signature there (of one file)."
)
@click.option("--comment", metavar="TEXT", help="The trusted comment, which is signed too.")
@click.option("--untrusted-comment", metavar="TEXT", help="The first line, which proves nothing.")
@click.option("--force", is_flag=True, help="Replace a signature by another key.")
@key_options
@key_option
@password_options
@interactive_option
@dry_run_option
@json_option
def sign_file(
    *,
    files: tuple[Path, ...],
    target: Path | None,
    comment: str | None,
    untrusted_comment: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Sign files, as minisign does."""
    from sealstead.identity.places import index_entries
    from sealstead.identity.sign_files import sign_file as sign
    from sealstead.identity.standing import check_usable

    if target is not None and len(files) > 1:
        raise click.UsageError("--output is for one file")
    context = open_context(**options, tolerant=options["keyring_identity"] is not None)
    found = context.current_key()
    profile = context.profile.profile if context.profile else None
    entries = index_entries(context.places)
    if found.public is not None:
        check_usable(profile, entries, found.public, context.at)
    key = context.open(found)
    check_usable(profile, entries, key.public, context.at)
    named = context.wanted_or_none
    if named is not None and named != key.public and not context.identity_named and not context.explicit:
        output.warning(
            f"signing with key {key.public.id}; the profile here names {named.id}, which is not here"
        )
    done = []
    for path in files:
        signed = sign(
            key,
            path,
            at=context.at,
            signature_path=target,
            trusted_comment=comment,
            untrusted_comment=untrusted_comment,
            replace=force,
            dry_run=dry_run,
            directory=context.places.directory,
        )
        done.append(
            {
                "file": str(path),
                "signature": str(signed.signature_path),
                "key_id": key.public.id,
                "trusted_comment": signed.signature.trusted_comment,
                "dry_run": dry_run,
            }
        )
        if not as_json:
            output.data(f"{signed.signature_path}{' (not written)' if dry_run else ''}")
    if as_json:
        output.document(done)


@click.command(
    "verify-file",
    epilog="""\b
Examples:
  pypi-profile verify-file dist/*.whl
  pypi-profile verify-file --public-key RWQ... release.tar.gz
  pypi-profile verify-file --profile ada-profile/pypi_profile.toml --signature release.sig release.tar.gz

Without --public-key and --profile: the keys that the profile here vouches for, else the key of the identity.
Exit code 1: a signature proves nothing.
""",
)
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option(
    "--signature", type=_FILE, metavar="FILE", help="The signature (of one file). Default: FILE.minisig"
)
@click.option(
    "-P",
    "--public-key",
    metavar="KEY|FILE",
    help="The public key: the line that starts with RW, or the .pub file with it.",
)
@click.option(
    "--profile", "source", metavar="SOURCE", help="The profile that names the key: a file or a directory."
)
@click.option(
    "--allow-legacy",
    is_flag=True,
    help="Accept signatures of the legacy kind, as minisign made them before 2021.",
)
@key_options
@interactive_option
@json_option
def verify_file(
    *,
    files: tuple[Path, ...],
    signature: Path | None,
    public_key: str | None,
    source: str | None,
    allow_legacy: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Check the signatures of files."""
    from sealstead.errors import ParseError, VerificationError
    from sealstead.identity.sign_files import verify_file as verify

    if signature is not None and len(files) > 1:
        raise click.UsageError("--signature is for one file")
    if public_key is not None and source is not None:
        raise click.UsageError("--public-key or --profile, not both")
    keys, told_of = (
        (_named(public_key), None)
        if public_key is not None
        else _vouched(
            open_context(
                **options, source=source, tolerant=source is None and bool(options["keyring_identity"])
            )
        )
    )
    if len(files) == 1 and not as_json:
        done = verify(keys, files[0], signature_path=signature, allow_legacy=allow_legacy, told_of=told_of)
        output.data(f"{files[0]}: good, key {done.key.id}, {done.trusted_comment}")
        return 0
    results: list[dict[str, Any]] = []
    for path in files:
        try:
            done = verify(keys, path, signature_path=signature, allow_legacy=allow_legacy, told_of=told_of)
        except (VerificationError, ParseError) as exc:
            results.append({"file": str(path), "verified": False, "code": exc.code, "message": exc.message})
            if not as_json:
                output.error(exc.message, exc.hint)
            continue
        results.append(
            {
                "file": str(path),
                "verified": True,
                "key_id": done.key.id,
                "trusted_comment": done.trusted_comment,
                "legacy": done.legacy,
            }
        )
        if not as_json:
            output.data(f"{path}: good, key {done.key.id}, {done.trusted_comment}")
    if as_json:
        output.document(results)
    return 0 if all(result["verified"] for result in results) else 1


def _named(text: str) -> list[PublicKey]:
    from sealstead.errors import ParseError
    from sealstead.formats.minisign_key import parse_public_key
    from sealstead.identity.sign_files import read_small

    path = Path(text)
    try:
        return [parse_public_key(read_small(path) if path.is_file() else text)]
    except ParseError as exc:
        raise type(exc)(f"--public-key {text[:80]}: {exc.message}", hint=exc.hint) from exc


def _vouched(context: KeyContext) -> tuple[list[PublicKey], Callable[[bytes], Said | None]]:
    """Return the keys that are believed here, and what says why another is not."""
    from sealstead.identity.places import NoKeyError, index_entries, public_beside
    from sealstead.identity.standing import check_usable, told_of

    profile = context.profile.profile if context.profile else None
    entries = index_entries(context.places)
    why = partial(told_of, profile, entries, at=context.at)
    if profile is not None and context.wanted is not None and not context.identity_named:
        from sealstead.identity.statements import believed_keys

        return believed_keys(profile, context.at), why
    public = public_beside(context.places, context.identity)
    if public is None:
        try:
            found = context.current_key()
        except NoKeyError as exc:
            raise NoKeyError(
                exc.message, hint="name whose signature it should be: --public-key RW... or --profile FILE"
            ) from exc
        public = found.public or context.open(found).public
    try:
        check_usable(profile, entries, public, context.at)
    except KeyUnavailableError:
        return [], why
    return [public], why
