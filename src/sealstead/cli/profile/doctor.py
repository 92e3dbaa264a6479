"""`doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.options import dry_run_option, interactive_option, key_option, key_options
from sealstead.clock import SystemClock
from sealstead.custody.key_dir import KeyDir, default_key_dir
from sealstead.custody.os_keyring import open_keyring
from sealstead.errors import SealsteadError
from sealstead.identity.doctor import (
    Check,
    Status,
    check_clock,
    check_keys,
    check_profile_file,
    check_programs,
)
from sealstead.identity.keyslots import IDENTITY_VARIABLE, KeyPlaces, explicit_key, resolve_identity
from sealstead.identity.profile import ProfileFile, find_profile

_MARKS = {Status.OK: "OK", Status.PROBLEM: "!!", Status.NOTE: "--"}
_TITLES = {"profile": "Profile", "keys": "Keys", "programs": "Programs", "machine": "Machine"}


@click.command(
    epilog="""\b
Examples:
  pypi-profile doctor
  pypi-profile doctor --json | jq .checks
"""
)
@click.argument("source", required=False, type=click.Path())
@key_option
@key_options
@json_option
@dry_run_option
@interactive_option
def doctor(
    source: str | None,
    key: Path | None,
    keyring_identity: str | None,
    key_dir: Path | None,
    no_keyring: bool,
    as_json: bool,
    dry_run: bool,
    interactive: bool | None,
) -> int:
    """Look for what is wrong with the profile, the keys, the keyring and the programs here.

    Nothing is changed. Marks: OK; !! to be repaired; -- worth knowing. Ends with 1 if anything is to be repaired.
    """
    checks = list(_checks(source, key, keyring_identity, key_dir, no_keyring))
    problems = [check for check in checks if check.status is Status.PROBLEM]
    if as_json:
        output.document(_document(checks, ok=not problems))
    else:
        _tell(checks)
        output.data("")
        output.data(f"{len(problems)} to be repaired" if problems else "Nothing to repair")
    return 1 if problems else 0


def _checks(
    source: str | None,
    key: Path | None,
    keyring_identity: str | None,
    key_dir: Path | None,
    no_keyring: bool,
) -> Iterator[Check]:
    at = SystemClock().now()
    cwd = Path.cwd()
    file: ProfileFile | None = None
    broken = False
    try:
        file = _profile(source, cwd)
        yield from check_profile_file(file, at)
    except SealsteadError as exc:
        broken = True
        yield Check("profile", Status.PROBLEM, "file", exc.message, exc.hint)
    try:
        identity = resolve_identity(keyring_identity, os.environ, file.profile if file else None)
        places = KeyPlaces(
            KeyDir(cwd / (key_dir or default_key_dir())), opener=lambda: open_keyring(disabled=no_keyring)
        )
        named = keyring_identity is not None or bool(os.environ.get(IDENTITY_VARIABLE))
        explicit = explicit_key(key, os.environ)
        yield from check_keys(
            places,
            identity,
            file,
            at=at,
            anywhere=not named,
            explicit=cwd / explicit if explicit else None,
            known=named or explicit is not None or not broken,
        )
    except SealsteadError as exc:
        yield Check("keys", Status.PROBLEM, "keys", exc.message, exc.hint)
    yield from check_programs(os.environ)
    yield from check_clock(at)


def _profile(source: str | None, cwd: Path) -> ProfileFile | None:
    from sealstead.identity.profile import find_local

    return find_local(cwd) if source is None else find_profile(source, cwd)


def _tell(checks: list[Check]) -> None:
    section = ""
    for check in sorted(checks, key=lambda check: list(_TITLES).index(check.section)):
        if check.section != section:
            output.data(f"{chr(10) if section else ''}{_TITLES[check.section]}")
            section = check.section
        output.data(f"  {_MARKS[check.status]}  {check.label}: {check.detail}")
        if check.hint and check.status is not Status.OK:
            output.data(f"      {check.hint}")


def _document(checks: list[Check], *, ok: bool) -> dict[str, Any]:
    import importlib.metadata

    counted = {str(status): sum(check.status is status for check in checks) for status in Status}
    return {
        "ok": ok,
        "version": importlib.metadata.version("sealstead"),
        "checks": [
            {
                "section": check.section,
                "status": str(check.status),
                "label": check.label,
                "detail": check.detail,
                "hint": check.hint,
            }
            for check in checks
        ],
        "summary": counted,
    }
