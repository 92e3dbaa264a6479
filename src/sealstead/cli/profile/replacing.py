"""What the commands that replace a key share: options, the lock, and how they tell what was done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sealstead.cli import output
from sealstead.cli.profile.context import KeyContext, settle
from sealstead.cli.profile.options import AskedPassphrase
from sealstead.cli.profile.passphrases import NEW_VARIABLE, PassphraseError, Passphrases
from sealstead.errors import InputError
from sealstead.identity.profile import find_profile
from sealstead.secret import Secret

if TYPE_CHECKING:
    from sealstead.formats.profile_schema import Profile
    from sealstead.identity.rekeyed import Page, Rekeyed

F = TypeVar("F", bound=Callable[..., Any])

DECLINED = 1

NEXT = (
    "update the proof tokens on the external pages",
    "commit the updated TOML",
    "rebuild and republish the static site",
    "republish the package",
)
"""What the documentation of these commands tells people to do."""


class NeedsForceError(InputError):
    """Something would be lost for good, and nobody can be asked."""

    code = "needs-force"


def proof_options(command: F) -> F:
    """Add `expires` and `profile_package`, for the proofs that are signed anew."""
    command = click.option(
        "--profile-package",
        metavar="NAME",
        help="The distribution that publishes the profile. Default: as in the stored proof, else pypi-profile-USER.",
    )(command)
    return click.option(
        "--expires",
        metavar="WHEN",
        help="End of the new proofs: 90d, or a day as 2027-06-30. Default: a year from now.",
    )(command)


@contextlib.contextmanager
def locked(context: KeyContext, *, dry_run: bool) -> Iterator[KeyContext]:
    """Hold the lock of the key directory; yields the context as it is now.

    While we waited for the lock, another command may have replaced the key, or died on its way. A `dry_run` writes
    nothing: it makes no lock, and ends nobody's change.
    """
    if dry_run or not context.places.directory.path.is_dir():
        # Without a directory there is nothing to lock yet; `carry_out` makes and locks it when there is something to do.
        yield context
        return
    with context.places.directory.lock():
        settle(context.places, writes=True)
        profile = context.profile
        if profile is not None and not profile.installed:
            fresh = find_profile(str(profile.path), Path.cwd())
            if fresh.data != profile.data:
                context = context._replace(profile=fresh._replace(name=profile.name))
        yield context


def finished(context: KeyContext, command: str) -> Rekeyed | None:
    """Return what an interrupted run of this very command came to, if it was finished just now."""
    recovered = context.recovered
    if recovered is None or not recovered.forward or recovered.command != command:
        return None
    from sealstead.identity.rekeyed import report

    path = str(context.profile.path) if context.profile else None
    if recovered.facts.get("profile") not in (None, path):
        return None
    schema: Profile | None = context.profile.profile if context.profile else None
    return report(command, recovered.identity, recovered.facts, schema, recovered.warnings)


def finished_for(context: KeyContext, command: str, **facts: str) -> bool:
    """Tell whether an interrupted run of this very command, with these facts, was finished just now."""
    recovered = context.recovered
    return (
        recovered is not None
        and recovered.forward
        and recovered.command == command
        and all(recovered.facts.get(name) == value for name, value in facts.items())
    )


def successor_options(command: F) -> F:
    """Add `ask_password`, `password_stdin`, `password_file` and `new_password_file`, for a key and its successor."""
    command = click.option(
        "--new-password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Encrypt the new key with the first line of this file. PYPI_PROFILE_NEW_KEY_PASSWORD does so too.",
    )(command)
    command = click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The passphrase is the first line of this file.",
    )(command)
    command = click.option(
        "--password-stdin",
        is_flag=True,
        help="The passphrase is the first line of standard input: it opens the key, if that is encrypted, and encrypts "
        "the new one. PYPI_PROFILE_KEY_PASSWORD does so too.",
    )(command)
    return click.option(
        "--password",
        "ask_password",
        cls=AskedPassphrase,
        is_flag=True,
        help="Ask for another passphrase, for the new key. Nothing follows this option: what stands on a command "
        "line, others can read.",
    )(command)


def passphrase_for_new(
    context: KeyContext, *, ask: bool, file: Path | None, sealed: bool
) -> Secret[str] | None:
    """Return the passphrase of a new key: one of its own, else the old key's if that is sealed, else what was given."""
    own = Passphrases(environ=os.environ, interactive=context.interactive, new_file=file)
    if ask and not context.interactive:
        raise PassphraseError(
            "there is no terminal to ask for the passphrase",
            hint="give it with --password-stdin or --password-file",
        )
    given = own.new("Passphrase for the new key", ask=ask, variables=(NEW_VARIABLE,), file_too=False)
    if given is not None:
        return given
    if sealed:
        return context.passphrases.current(f"Passphrase of key {context.identity}")
    return context.passphrases.new("", ask=False)


def agreed(context: KeyContext, question: str, *, force: bool, needed: bool = False) -> bool:
    """Tell whether to go on: asked at a terminal, taken as said by `--force`, and elsewhere as meant.

    Raises:
        NeedsForceError: `needed`, for something is lost for good, and nobody can be asked.
    """
    if force:
        return True
    if context.interactive:
        if click.confirm(question, default=False, err=True):
            return True
        output.note("nothing was changed")
        return False
    if needed:
        raise NeedsForceError("this cannot be undone, and nobody is here to be asked", hint="say so: --force")
    return True


def tell_pages(pages: tuple[Page, ...], *, signed: bool) -> None:
    if not pages:
        return
    output.note("")
    output.note(
        "these pages have to show their new proofs:" if signed else "these pages would need new proofs:"
    )
    for page in pages:
        output.data("")
        output.data(f"{page.label or page.kind}  {page.url}")
        output.data(f"where: {page.place}")
        if signed:
            output.data(page.proof)


def tell_next(things: Sequence[str] = NEXT) -> None:
    """Say what is left for a person to do: no data, so not on stdout."""
    output.note("")
    output.note("next:")
    for number, thing in enumerate(things, start=1):
        output.note(f"  {number}. {thing}")


def tell_warnings(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        output.warning(warning)


def as_document(done: Rekeyed) -> dict[str, Any]:
    return {
        "dry_run": done.dry_run,
        "identity": done.identity,
        "old_key_id": done.old_id,
        "new_key_id": done.new_id,
        "new_public_key": done.new_public_key,
        "sk_path": str(done.secret_path),
        "archived_path": str(done.archived_path) if done.archived_path else None,
        "retires_at": f"{done.retires_at:%Y-%m-%dT%H:%M:%SZ}" if done.retires_at else None,
        "stored_in_keyring": done.in_keyring,
        "rotation_statement": done.stated,
        "profile_file": str(done.profile_path) if done.profile_path else None,
        "updated_urls": [page.url for page in done.pages],
        "pages": [
            {
                "kind": page.kind,
                "label": page.label,
                "url": page.url,
                "proof": None if done.dry_run else page.proof,
                "where": page.place,
            }
            for page in done.pages
        ],
        "next": list(NEXT),
        "warnings": list(done.warnings),
    }
