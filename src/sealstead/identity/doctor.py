"""Look for what will go wrong: keys that others can read or that are nowhere, a broken profile, a stranger's program.

Everything is looked at and nothing is touched. Each finding says what to do.
"""

from __future__ import annotations

import enum
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sealstead.custody.key_index import KeyState
from sealstead.custody.keyring_debts import load_debts
from sealstead.custody.os_keyring import SERVICE
from sealstead.errors import SealsteadError
from sealstead.formats.minisign import PublicKey
from sealstead.identity.check_profile import Level, check_profile
from sealstead.identity.journal import find_pending
from sealstead.identity.keyslots import KeyPlaces, NoKeyError, find_key, index_entries, public_beside
from sealstead.identity.listing import ListedKey, index_problem, list_keys
from sealstead.identity.profile import ProfileFile
from sealstead.identity.proofs import NOT_BEFORE
from sealstead.identity.standing import revoked_since
from sealstead.identity.statements import profile_key

SCRIPT = "pypi-profile"
OURS = "sealstead"
_SKEW = timedelta(days=1)
_OTHERS = 0o077
_MOST_OF_A_SCRIPT = 1 << 16


class Status(enum.StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    NOTE = "note"
    """Worth knowing, and nothing to repair."""


class Check(NamedTuple):
    section: str
    status: Status
    label: str
    detail: str
    hint: str | None = None


def check_profile_file(file: ProfileFile | None, at: datetime) -> Iterator[Check]:
    """Say whether there is a profile, and what is wrong with it."""
    if file is None:
        yield Check("profile", Status.NOTE, "file", "none here", "pypi-profile init writes one")
        return
    report = check_profile(file, at=at)
    yield Check("profile", Status.OK if report.good else Status.PROBLEM, "file", str(file.path))
    for finding in report.findings:
        status = Status.PROBLEM if finding.level is Level.ERROR else Status.NOTE
        yield Check("profile", status, finding.where or "file", finding.fact, finding.hint)


def check_keys(
    places: KeyPlaces,
    identity: str,
    file: ProfileFile | None,
    *,
    at: datetime,
    anywhere: bool,
    explicit: Path | None,
    known: bool = True,
) -> Iterator[Check]:
    """Say whether the key that signs here is at hand and fits the profile, and how all keys are kept.

    `known` is false where nobody can say whose key signs: the profile, which would, cannot be read.
    """
    wanted = profile_key(file.profile) if file else None
    yield from _directory(places)
    signing = (
        _signing_key(places, identity, wanted, anywhere=anywhere, explicit=explicit)
        if known
        else [Check("keys", Status.NOTE, "signing key", "unknown while the profile cannot be read")]
    )
    for check in signing:
        revoked = revoked_since(file.profile, index_entries(places), wanted, at) if file and wanted else None
        if revoked is None or check.status is not Status.OK:
            yield check
            continue
        fact = f"{check.detail} was revoked on {revoked:%Y-%m-%d}"
        yield check._replace(
            status=Status.PROBLEM, detail=fact, hint="key-rotate gives the profile another key"
        )
    keys = list_keys(places, at, ask_keyring=True)
    for key in keys:
        yield from _key(key, at)
    reason = places.keyring_reason
    yield (
        Check("keys", Status.NOTE, "keyring", f"not used: {reason}", "the keys are in files alone")
        if reason
        else Check("keys", Status.OK, "keyring", "usable")
    )


def check_programs(environ: Mapping[str, str]) -> Iterator[Check]:
    """Say whether another distribution, or another program, answers to our name."""
    owners = sorted(_owners())
    for name in owners:
        yield Check(
            "programs",
            Status.PROBLEM,
            f"distribution {name}",
            f"is installed here too and owns the command {SCRIPT}: which of the two runs is chance",
            f"pip uninstall {name}, then pip install --force-reinstall {OURS}",
        )
    found = shutil.which(SCRIPT, path=environ.get("PATH"))
    if found is None:
        yield Check(
            "programs", Status.NOTE, SCRIPT, "not on PATH", f"use: sealstead profile, or {sys.prefix}"
        )
    elif _is_ours(Path(found)):
        yield Check("programs", Status.OK, SCRIPT, found)
    else:
        yield Check(
            "programs",
            Status.PROBLEM,
            SCRIPT,
            f"{found} is another program",
            "use: sealstead profile, or change PATH",
        )
    minisign = shutil.which("minisign", path=environ.get("PATH"))
    yield Check("programs", Status.NOTE, "minisign", minisign or "not installed, and not needed")


def check_clock(at: datetime) -> Iterator[Check]:
    if at < NOT_BEFORE:
        yield Check(
            "machine",
            Status.PROBLEM,
            "clock",
            f"says {at:%Y-%m-%d}",
            "proofs and statements would be dated wrongly",
        )
    else:
        yield Check("machine", Status.OK, "clock", f"{at:%Y-%m-%dT%H:%M:%SZ}")


def _directory(places: KeyPlaces) -> Iterator[Check]:
    path = places.directory.path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        yield Check("keys", Status.NOTE, "directory", f"{path} is not there yet", "keygen makes it")
        return
    except OSError as exc:
        yield Check("keys", Status.PROBLEM, "directory", f"{path}: {exc.strerror}")
        return
    if os.name == "posix" and stat.S_IMODE(mode) & _OTHERS:
        yield Check(
            "keys", Status.PROBLEM, "directory", f"{path} is open to other users", f"run: chmod 700 {path}"
        )
    else:
        yield Check("keys", Status.OK, "directory", str(path))
    if problem := index_problem(places):
        yield Check(
            "keys",
            Status.PROBLEM,
            "index",
            problem,
            "if it is not yours, move it away; the index is made anew",
        )
    try:
        pending = find_pending(places.directory)
        debts = load_debts(places.directory)
    except SealsteadError as exc:
        yield Check("keys", Status.PROBLEM, "journal", exc.message, exc.hint)
        return
    if pending:
        yield Check("keys", Status.PROBLEM, "journal", pending, "update-proofs or key-rotate ends it")
    for identity in debts:
        yield Check(
            "keys",
            Status.NOTE,
            "keyring",
            f"the last write for {identity} had no answer",
            "the next command that writes a key tries again",
        )


def _signing_key(
    places: KeyPlaces, identity: str, wanted: PublicKey | None, *, anywhere: bool, explicit: Path | None
) -> Iterator[Check]:
    try:
        found = find_key(places, identity, wanted=wanted, explicit=explicit, anywhere=anywhere)
    except NoKeyError as exc:
        status = Status.NOTE if wanted is None else Status.PROBLEM
        yield Check("keys", status, "signing key", exc.message, exc.hint)
        return
    except SealsteadError as exc:
        yield Check("keys", Status.PROBLEM, "signing key", exc.message, exc.hint)
        return
    public = found.public
    told = f"{public.id if public else 'encrypted'} of {found.identity} ({found.path or 'keyring'})"
    if wanted is not None and public is not None and public != wanted:
        yield Check(
            "keys",
            Status.PROBLEM,
            "signing key",
            f"{told}, and the profile names {wanted.id}",
            "leave PYPI_PROFILE_KEY_PATH out, or bring the profile's key with key-import",
        )
    elif found.source in ("staged", "archive"):
        yield Check(
            "keys",
            Status.PROBLEM,
            "signing key",
            f"{told}: the profile names a key that is not the active one",
            "key-restore makes it the active one",
        )
    else:
        yield Check("keys", Status.OK, "signing key", told)
    beside = public_beside(places, found.identity) if found.source == "disk" else None
    if beside is not None and found.file.public is not None and beside != found.file.public:
        yield Check(
            "keys",
            Status.PROBLEM,
            "public key file",
            f"{places.directory.public_path(found.identity)} is of key {beside.id}, the secret key is "
            f"{found.file.public.id}",
            "one of the two was replaced alone; key-export the secret key and key-import it",
        )


def _key(key: ListedKey, at: datetime) -> Iterator[Check]:
    label = f"{key.identity} {key.public.id if key.public else key.path.name}"
    if key.problem and key.damaged and key.state is not KeyState.ACTIVE:
        # Nobody can mend it, and where the profile still names it, the signing key is what is told of.
        yield Check("keys", Status.NOTE, label, key.problem, f"another copy replaces it: {key.path}")
    elif key.problem and not key.stored and key.state in (KeyState.ARCHIVED, KeyState.REVOKED):
        # It is history, and somebody may well have removed it on purpose.
        yield Check("keys", Status.NOTE, label, key.problem)
    elif key.problem:
        yield Check("keys", Status.PROBLEM, label, key.problem)
    if key.keyring == "other":
        yield Check(
            "keys",
            Status.PROBLEM,
            label,
            "the keyring holds another key under this name",
            # Nothing of ours replaces what it did not put there: it may be the only copy of another directory's key.
            f"commands use the file; to put its key there too: keyring del {SERVICE} {key.identity}, then "
            f"key-import {key.path}",
        )
    if key.created_at is not None and key.created_at > at + _SKEW:
        yield Check(
            "machine",
            Status.PROBLEM,
            "clock",
            f"key {label} was made on {key.created_at:%Y-%m-%d}, which is still to come",
            "the clock was moved back, or was wrong then",
        )


def _owners() -> Iterable[str]:
    """Return the distributions, but for ours, that install a command of our name."""
    import importlib.metadata

    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower()
        if name == OURS:
            continue
        for point in distribution.entry_points:
            if point.group == "console_scripts" and point.name.lower() == SCRIPT:
                yield name


def _is_ours(script: Path) -> bool:
    try:
        with script.open("rb") as file:
            return OURS.encode() in file.read(_MOST_OF_A_SCRIPT)
    except OSError:
        return False
