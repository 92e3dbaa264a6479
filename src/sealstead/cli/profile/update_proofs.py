"""`update-proofs`."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
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
from sealstead.cli.profile.sign import check_not_revoked, expires_option, open_signing_key
from sealstead.durations import parse_duration
from sealstead.errors import KeyUnavailableError
from sealstead.formats.minisign import PublicKey
from sealstead.identity.history import remember_profile
from sealstead.identity.key_step import key_step
from sealstead.identity.places import FoundKey
from sealstead.identity.profile import ProfileFile, find_profile, save_profile
from sealstead.identity.profile_lock import has_leftovers, profile_lock
from sealstead.identity.proofs import parse_expiry
from sealstead.identity.update_proofs import Due, Renewal, Renewed, due_proofs, renew

EXPIRES_SOON = 4
"""The exit code for "expires within the asked window" (DESIGN §9)."""


class NotItsKeyError(KeyUnavailableError):
    """The profile names no key, and the only one here belongs to another identity."""

    code = "not-its-key"


@click.command(
    epilog="""\b
Examples:
  pypi-profile update-proofs                          what is missing, expired or broken
  pypi-profile update-proofs --expiring-within 30d    and what ends within a month
  pypi-profile update-proofs --expiring-within 30d --dry-run    4 if any does, for CI
  pypi-profile update-proofs --force --expires 90d    all of them
"""
)
@click.argument("source", required=False, type=click.Path())
@click.option("--url", "urls", multiple=True, metavar="URL", help="Only the proof of this page; repeatable.")
@click.option("--force", is_flag=True, help="Sign the good ones again too.")
@click.option(
    "--expiring-within",
    metavar="DURATION",
    help="Also sign proofs that expire within this time, for example 30d. With --dry-run: end with code 4 if any does.",
)
@expires_option
@click.option(
    "--profile-package",
    metavar="NAME",
    help="The package that publishes the profile. Default: pypi-profile-<user>, or as the stored proof says.",
)
@key_option
@key_options
@password_options
@json_option
@dry_run_option
@interactive_option
def update_proofs(
    source: str | None,
    urls: tuple[str, ...],
    force: bool,
    expiring_within: str | None,
    expires: str | None,
    profile_package: str | None,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
    **options: Any,
) -> int:
    """Sign the proofs that a profile lacks, and write them into it.

    Signed are those that are missing, expired or do not verify. A profile that names no public key gets the one of its
    identity; nothing else in the file changes. What was signed is printed with where it goes: a page shows its old
    proof until you put the new one there.

    SOURCE is the profile: a .toml file or a directory; without it, the profile in this directory.
    """
    window = parse_duration(expiring_within) if expiring_within else None
    context = open_context(source=source, interactive=interactive, writes=not dry_run, **options)
    file = context.profile or find_profile(None, Path.cwd())
    ends = parse_expiry(expires, context.at)
    found = context.signing_key()
    _check_its_own(context, found)
    asked: dict[str, Any] = {"every": force, "within": window, "urls": urls, "package": profile_package}
    if dry_run and found.public is not None:
        check_not_revoked(context, found.public)
        due, impossible = due_proofs(file.profile, found.public, at=context.at, **asked)
        return _plan(file, due, impossible, window, as_json=as_json)
    key = open_signing_key(context, found)
    due, impossible = due_proofs(file.profile, key.public, at=context.at, **asked)
    if dry_run:
        return _plan(file, due, impossible, window, as_json=as_json)
    renewed = renew(file, key, due, at=context.at, expires=ends, package=profile_package)
    if renewed.text != file.text:
        # The lock keeps a rotation out: what it commits between our look and our rename would be lost.
        lock = context.places.directory
        with lock.lock() if lock.path.is_dir() else nullcontext():
            save_profile(file, renewed.text)
    elif has_leftovers(file.path):
        with profile_lock(file.path):
            pass  # what a killed command left beside the profile goes
    if found.source != "explicit" and not file.installed:
        remember_profile(context.places, found.identity, key.public, file.path)
    if expires and any(each.form == "tiny" for each in renewed.renewals):
        output.warning("tiny proofs have no end of their own: they are good for this year and the next two")
    _tell(file, key.public, renewed, impossible, as_json=as_json)
    return 1 if impossible else 0


def _check_its_own(context: KeyContext, found: FoundKey) -> None:
    """A profile without a key gets one here, so it must be the one of its own identity, or one that was named."""
    if context.wanted is None and found.source != "explicit" and found.identity != context.identity:
        raise NotItsKeyError(
            f"the profile names no public key, and there is no key of {context.identity}, only of {found.identity}",
            hint=key_step(context.places, context.identity),
        )


def _plan(
    file: ProfileFile,
    due: list[Due],
    impossible: list[tuple[str, str]],
    window: timedelta | None,
    *,
    as_json: bool,
) -> int:
    if as_json:
        output.document(
            {
                "dry_run": True,
                "profile_file": str(file.path),
                "due": [
                    {"url": each.link.url, "reason": each.reason, "expires_soon": each.soon} for each in due
                ],
                "refused": [{"url": url, "reason": reason} for url, reason in impossible],
            }
        )
    else:
        for each in due:
            output.data(f"{each.link.url}: {each.reason}")
        output.note(f"proofs to sign: {len(due)} of {len(file.profile.profiles)}")
        _tell_impossible(impossible)
    if impossible:
        return 1
    return EXPIRES_SOON if window is not None and any(each.soon for each in due) else 0


def _tell(
    file: ProfileFile,
    key: PublicKey,
    renewed: Renewed,
    impossible: list[tuple[str, str]],
    *,
    as_json: bool,
) -> None:
    places = [_where(each) for each in renewed.renewals]
    if as_json:
        output.document(
            {
                "profile_file": str(file.path),
                "profile_package": renewed.renewals[0].package if renewed.renewals else None,
                "key_id": key.id,
                "public_key_written": renewed.key_written,
                "updated_urls": [each.due.link.url for each in renewed.renewals],
                "updated_count": len(renewed.renewals),
                "proofs": [
                    {
                        "url": each.due.link.url,
                        "format": each.form,
                        "profile_package": each.package,
                        "proof": each.token,
                        "where": where,
                        "reason": each.due.reason,
                    }
                    for each, where in zip(renewed.renewals, places, strict=True)
                ],
                "refused": [{"url": url, "reason": reason} for url, reason in impossible],
            }
        )
        return
    for each, where in zip(renewed.renewals, places, strict=True):
        output.data(f"{each.due.link.url}\n  put it here: {where}\n  {each.token}\n")
    if renewed.key_written:
        output.note(f"{file.name} names key {key.id} now: {key.line}")
    output.note(
        f"{file.name}: signed with key {key.id}: {len(renewed.renewals)}"
        if renewed.renewals
        else f"{file.name}: no other proof was signed"
        if impossible or renewed.key_written
        else f"{file.name}: every proof is good, nothing was written"
    )
    _tell_impossible(impossible)


def _tell_impossible(impossible: list[tuple[str, str]]) -> None:
    for _, reason in impossible:
        output.error(reason)


def _where(renewal: Renewal) -> str:
    from sealstead.identity.providers import instructions

    link = renewal.due.link
    return instructions(link.url, link.kind, rel_me=link.rel_me)[1]
