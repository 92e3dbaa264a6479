"""`validate`, `inspect`, `dump`: read a profile and tell; nothing is ever written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.options import dry_run_option, interactive_option
from sealstead.clock import SystemClock
from sealstead.durations import parse_duration
from sealstead.formats.profile_toml import ProfileError
from sealstead.identity.check_profile import KEY_HINT, Level, ProfileReport, check_profile
from sealstead.identity.profile import ProfileFile, find_profile
from sealstead.record import Record

EXPIRES_SOON = 4
"""The exit code for "expires within the asked window" (DESIGN §9)."""

expiring_option = click.option(
    "--expiring-within",
    metavar="DURATION",
    help="End with code 4 if a stored proof expires within this time, for example 30d or 2w; a bare number is days.",
)
package_option = click.option(
    "--profile-package",
    metavar="NAME",
    help="The package that publishes the profile. Default: pypi-profile-<user>, or as the stored proof says.",
)
source_argument = click.argument("source", required=False, type=click.Path())


@click.command(
    epilog="""\b
Examples:
  pypi-profile validate                           the profile in this directory
  pypi-profile validate --strict                  warnings count too, for CI
  pypi-profile validate --expiring-within 30d     4 if a proof ends within a month
"""
)
@click.argument("path", metavar="[SOURCE]", required=False)
@click.option("--strict", is_flag=True, help="Warnings fail too: unknown keys, what init left to fill in.")
@package_option
@expiring_option
@json_option
@dry_run_option
@interactive_option
def validate(
    path: str | None,
    strict: bool,
    profile_package: str | None,
    expiring_within: str | None,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> int:
    """Check a profile: its TOML, its key, its addresses, its stored proofs.

    SOURCE is a .toml file, a directory, or an installed distribution; without it, the profile in this directory. Each
    mistake is told by file, line and column where it has one. Ends with 0 when nothing is wrong, with 1 when something is.
    """
    window = parse_duration(expiring_within) if expiring_within else None
    try:
        file = find_profile(path, Path.cwd())
    except ProfileError as exc:
        if as_json or len(exc.all_facts) == 1:
            raise
        for fact in exc.all_facts:
            output.note(fact)
        raise
    report = _checked(file, profile_package)
    fails = strict and report.good and bool(report.findings)
    if as_json:
        document = _findings_document(report)
        output.document({"profile_file": str(file.path), **document, "ok": report.good and not fails})
    else:
        _tell_findings(file, report)
        if fails:
            output.error(f"{file.name}: with --strict, warnings are errors")
        elif report.good:
            output.data(f"{file.name}: OK")
    return 1 if fails else _code(report, window)


@click.command(
    epilog="""\b
Examples:
  pypi-profile inspect
  pypi-profile inspect pypi-profile-ada --json    one that is installed
"""
)
@source_argument
@click.option("--no-validate", is_flag=True, help="Only show; do not judge.")
@package_option
@expiring_option
@json_option
@dry_run_option
@interactive_option
def inspect(
    source: str | None,
    no_validate: bool,
    profile_package: str | None,
    expiring_within: str | None,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> int:
    """Show what a profile says, in a few lines, and how its proofs stand.

    SOURCE is a .toml file, a directory, or an installed distribution; without it, the profile in this directory.
    Looks at nothing but files: to see whether the pages show the proofs, use verify.
    """
    window = parse_duration(expiring_within) if expiring_within else None
    file = find_profile(source, Path.cwd())
    report = _checked(file, profile_package)
    if as_json:
        output.document(_inspection(file, report))
    else:
        _show(file, report)
        if not no_validate:
            _tell_findings(file, report)
    return 0 if no_validate else _code(report, window)


@click.command(
    epilog="""\b
Examples:
  pypi-profile dump
  pypi-profile dump me/pyproject.toml | jq .profiles
"""
)
@source_argument
@json_option
@dry_run_option
@interactive_option
def dump(source: str | None, as_json: bool, dry_run: bool, interactive: bool | None) -> None:
    """Write the whole profile as JSON, with the defaults of what it leaves out.

    Keys that are not of the schema are left out too; validate tells of them.
    """
    file = find_profile(source, Path.cwd())
    for warning in file.warnings:
        output.warning(str(warning))
    output.document(as_document(file.profile))


def as_document(value: Any) -> Any:  # noqa: ANN401 - tables, arrays and texts within each other
    """Return records as tables, tuples as arrays."""
    if isinstance(value, Record):
        return {key: as_document(each) for key, each in vars(value).items()}
    if isinstance(value, tuple):
        return [as_document(each) for each in value]
    return value


def signing_key_here(file: ProfileFile, report: ProfileReport) -> str | None:
    """Return where the secret key of a profile is on this disk; the keyring is not asked."""
    import os

    from sealstead.custody.key_dir import KeyDir, default_key_dir
    from sealstead.errors import SealsteadError
    from sealstead.identity.keyslots import (
        IDENTITY_VARIABLE,
        KeyPlaces,
        explicit_key,
        find_key,
        resolve_identity,
    )

    try:
        found = find_key(
            KeyPlaces(KeyDir(default_key_dir()), keyring_reason="the keyring was not asked"),
            resolve_identity(None, os.environ, file.profile),
            wanted=report.key,
            explicit=explicit_key(None, os.environ),
            anywhere=not os.environ.get(IDENTITY_VARIABLE),
        )
    except SealsteadError:
        return None
    return str(found.path)


def _checked(file: ProfileFile, package: str | None) -> ProfileReport:
    at = SystemClock().now()
    if file.profile.verification.public_key.strip():
        return check_profile(file, at=at, package=package)
    return check_profile(file, at=at, package=package, key_hint=_key_hint(file))


def _key_hint(file: ProfileFile) -> str:
    import os

    from sealstead.custody.key_dir import KeyDir, default_key_dir
    from sealstead.errors import SealsteadError
    from sealstead.identity.key_step import key_step
    from sealstead.identity.keyslots import KeyPlaces, resolve_identity

    try:
        places = KeyPlaces(KeyDir(default_key_dir()), keyring_reason="the keyring was not asked")
        return key_step(places, resolve_identity(None, os.environ, file.profile))
    except SealsteadError:
        return KEY_HINT


def _code(report: ProfileReport, window: timedelta | None) -> int:
    soon = report.expiring(SystemClock().now(), window) if window is not None else []
    for link in soon:
        output.note(f"the proof for {link.url} ends on {link.stored.ends_at:%Y-%m-%d}")
    if not report.good:
        return 1
    return EXPIRES_SOON if soon else 0


def _tell_findings(file: ProfileFile, report: ProfileReport) -> None:
    for finding in report.findings:
        text = finding.told(file.name)
        if finding.level is Level.ERROR:
            output.error(text, finding.hint)
        else:
            output.warning(f"{text} ({finding.hint})" if finding.hint else text)


def _findings_document(report: ProfileReport) -> dict[str, Any]:
    return {
        "ok": report.good,
        "findings": [
            {"level": each.level.value, "key": each.where, "message": each.fact, "hint": each.hint}
            | {"line": each.line or None, "column": each.column or None}
            for each in report.findings
        ],
        "proofs": [
            {
                "url": link.url,
                "standing": link.stored.standing.value,
                "format": link.stored.proved.form if link.stored.proved else None,
                "key_id": link.stored.proved.key_id if link.stored.proved else None,
                "expires_at": link.stored.ends_at.isoformat() if link.stored.ends_at else None,
                "reason": link.stored.reason or None,
            }
            for link in report.links
        ],
    }


def _inspection(file: ProfileFile, report: ProfileReport) -> dict[str, Any]:
    profile = file.profile
    return {
        "profile_file": str(file.path),
        "principal": profile.profile.display_name or profile.identity.display_name,
        "kind": profile.profile.kind,
        "pypi_username": profile.identity.pypi_username,
        "counts": {
            "packages": len(profile.packages),
            "projects": len(profile.projects),
            "humans": len(profile.humans),
            "profiles": len(profile.profiles),
        },
        "verification": {
            "public_key_present": bool(profile.verification.public_key.strip()),
            "key_id": report.key.id if report.key else None,
            "preferred_signature_backend": profile.verification.preferred_signature_backend,
            "statements": len(profile.verification.statements),
            "signing_key": signing_key_here(file, report),
        },
        "schema_ok": True,
        **_findings_document(report),
    }


def _show(file: ProfileFile, report: ProfileReport) -> None:
    profile = file.profile
    standings = [link.stored.standing.value for link in report.links]
    proofs = ", ".join(
        f"{standings.count(word)} {word}"
        for word in ("good", "missing", "expired", "invalid")
        if word in standings
    )
    key = f"{report.key.id}  {report.key.line}" if report.key else "none"
    name = profile.profile.display_name or profile.identity.display_name
    for label, value in (
        ("File", str(file.path) + (f" [{file.table}]" if file.table else "")),
        ("Principal", f"{name or '-'} ({profile.profile.kind})"),
        ("PyPI user", profile.identity.pypi_username or "-"),
        ("Packages", str(len(profile.packages))),
        ("Projects", str(len(profile.projects))),
        ("Humans", str(len(profile.humans))),
        ("Profiles", f"{len(profile.profiles)}" + (f" (proofs: {proofs})" if proofs else "")),
        ("Public key", key),
        ("Statements", str(len(profile.verification.statements))),
        ("Signing key", signing_key_here(file, report) or "not on this disk"),
    ):
        output.data(f"{label + ':':<13}{value}")
