"""The one way in which stores that hold keys are changed: journalled, committed by one rename, finished or undone.

Every command that writes a key file, the keyring and a profile together goes through `carry_out` (DESIGN §2, rule 3).
The order, and what a crash between any two system calls leaves:

  1. the journal, with the digest of every store before and after       recovery removes it
  2. new contents staged, read back                                      recovery removes them
  3. copies that only add: the old key in its archive                    recovery removes what it made
  4. the commit: one rename                                              before it back, after it forward
  5. the other files, the keyring, each only from its "before"           recovery makes the rest
  6. everything read back; the index; what was to be destroyed; the journal

What is undecidable stops with a conflict and touches nothing. A keyring that does not answer is no reason to stop: it
becomes a debt, and the next command tries again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sealstead.custody import journal_file
from sealstead.custody.files import OWNER_FILE, FileExistsConflictError, UnsafeFileError
from sealstead.custody.journal_file import UNREADABLE, StagedLeftoverError, digest, digest_of
from sealstead.custody.key_dir import PUBLIC_FILE
from sealstead.custody.key_index import IndexEntry, row_of
from sealstead.errors import ConflictError, SealsteadError
from sealstead.identity.keyslots import KeyPlaces
from sealstead.identity.profile_lock import ProfileBusyError
from sealstead.identity.steps import (
    ChangeConflictError,
    KeyringChange,
    apply,
    finish,
    keyring_alone,
    look,
    record_index,
    roll_back,
)
from sealstead.lifecycle.journal import Journal, Phase, Step, Verdict, decide, undo
from sealstead.record import Record, replace

__all__ = ["Change", "ChangeUnfinishedError", "FileChange", "KeyringChange", "carry_out"]


class ChangeUnfinishedError(ConflictError):
    """The change is made and cannot be undone, but one store could not be written yet."""

    code = "change-unfinished"


class FileChange(Record, hidden=("content", "expected")):
    path: Path
    """Absolute, and no symbolic link: resolve a profile's path first."""
    content: bytes | None
    """None: the file goes."""
    phase: Phase = Phase.FOLLOW
    secret: bool = False
    transient: bool = False
    """Of a PREPARE step: destroyed at the end."""
    expendable: bool = False
    """What stands there is no secret of its own: the same key under another passphrase, or no key at all."""
    expected: bytes | None = None
    """What the caller has read there; checked if `checked`."""
    checked: bool = False


class Change(Record):
    """The file of phase COMMIT decides; without one (or if it stays as it is) the first file that changes does."""

    command: str
    identity: str
    files: tuple[FileChange, ...]
    keyring: KeyringChange | None = None
    index: tuple[IndexEntry, ...] = ()
    facts: Mapping[str, Any] = MappingProxyType({})
    """Go into the journal, for the report of whoever finishes it; no secret."""


def carry_out(places: KeyPlaces, change: Change) -> list[str]:
    """Make a change, and return what the user should be warned of.

    The caller has called `recover_pending`, and holds the directory's lock since before it read the stores.

    Raises:
        ChangeConflictError: a file is not what the caller has read; nothing was changed.
        WriteFailedError, StagedLeftoverError, FileExistsConflictError: as they say; everything is as before.
        ChangeUnfinishedError: committed; the next command finishes it.
    """
    with places.directory.lock():
        if journal_file.load_journal(places.directory) is not None:
            raise ChangeConflictError(
                "another change was left behind just now",
                hint="run the command again: it ends that one first",
            )
        contents, journal = _plan(places, change)
        if journal is None:
            return [
                *keyring_alone(places, change.identity, change.keyring),
                *record_index(places, change.index),
            ]
        try:
            journal_file.save_journal(places.directory, journal)
            for step in journal.steps:
                if step.staged is not None:
                    file = contents[step]
                    journal_file.stage(
                        Path(step.staged),
                        file.content or b"",
                        mode=OWNER_FILE if file.secret else PUBLIC_FILE,
                        like=None if file.secret else file.path,
                    )
            for step in (*journal.of(Phase.PREPARE), journal.commit):
                apply(places, journal, step)
        except BaseException as exc:
            _undo(places, journal, exc)
            raise
        try:
            return finish(places, journal, just_committed=True)
        except (SealsteadError, OSError) as exc:
            raise _unfinished(journal, exc) from exc


def _plan(places: KeyPlaces, change: Change) -> tuple[dict[Step, FileChange], Journal | None]:
    planned: dict[Step, FileChange] = {}
    kept = {
        digest(file.content)
        for file in change.files
        if file.phase is Phase.PREPARE and file.content is not None
    }
    for file in change.files:
        before = digest_of(file.path)
        _check(file, before, kept)
        after = _digest(file.content)
        step = Step(
            store=str(file.path),
            phase=file.phase,
            before=before,
            after=after,
            staged=None if after in (None, before) else str(_staged_path(places, file.path)),
            secret=file.secret,
            transient=file.transient,
        )
        if before == after and not file.transient:
            continue
        if step.staged is not None and digest_of(Path(step.staged)) is not None:
            # Seen before the journal is written: what the journal names, recovery may remove.
            raise StagedLeftoverError(
                f"{step.staged} is left over from a change that nobody remembers",
                hint="move it away; if it is a key, key-import takes it",
            )
        planned[step] = file
    steps = list(planned)
    if change.keyring is not None and change.keyring.before != change.keyring.after:
        steps.append(
            Step(
                store=change.identity,
                phase=Phase.FOLLOW,
                before=None if change.keyring.before is None else digest(change.keyring.before),
                after=digest(change.keyring.after),
                secret=True,
                keyring=True,
            )
        )
    # What is prepared protects what is replaced; on its own there is nothing that it could be for. The keyring on its
    # own needs no journal: there is nothing that it could disagree with.
    if all(step.phase is Phase.PREPARE or step.keyring for step in steps):
        return {}, None
    if all(step.phase is not Phase.COMMIT for step in steps):
        first = next((step for step in steps if step.phase is Phase.FOLLOW and not step.keyring), steps[-1])
        chosen = replace(first, phase=Phase.COMMIT)
        steps[steps.index(first)] = chosen
        if first in planned:
            planned[chosen] = planned.pop(first)
    rows = [row_of(entry) for entry in change.index]
    return planned, Journal(
        command=change.command,
        identity=change.identity,
        steps=tuple(steps),
        facts={**change.facts, "index": rows},
    )


def _check(file: FileChange, before: str | None, kept: set[str]) -> None:
    """Refuse a change that would meet, or do, what it should not. `kept`: digests of what goes to the archive."""
    if before == UNREADABLE:
        raise UnsafeFileError(f"{file.path} is not a regular file that can be read")
    replaces = file.secret and file.phase is not Phase.PREPARE and before != _digest(file.content)
    if replaces and before is not None and before not in kept and not file.expendable:
        # The last line of defence: no command's mistake may cost the only copy of a key.
        raise ChangeConflictError(
            f"{file.path} holds a key that would be kept nowhere", hint="key-export writes a copy of it"
        )
    if file.checked and before != _digest(file.expected):
        raise ChangeConflictError(
            f"{file.path} has been changed meanwhile",
            hint="nothing was overwritten; run the command again",
        )


def _digest(content: bytes | None) -> str | None:
    return None if content is None else digest(content)


def _staged_path(places: KeyPlaces, path: Path) -> Path:
    if path.parent == places.directory.path:
        return places.directory.staged_path(path)
    # In a directory of other people's files: a name that nobody has chosen.
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.staged")


def _undo(places: KeyPlaces, journal: Journal, cause: BaseException) -> None:
    """Go back, if that is still the way; whatever fails here is done by the next command."""
    # Refused at a store that somebody has just changed: so this process has not committed, and what it added can go.
    refused = isinstance(cause, ChangeConflictError | FileExistsConflictError | ProfileBusyError)
    try:
        # Nothing of the keyring has been touched before the commit.
        seen = look(places, journal, ask_keyring=False)
        decision = undo(journal, seen) if refused else decide(journal, seen)
        if decision.verdict is Verdict.BACK:
            roll_back(places, journal, decision.remove)
            return
    except (SealsteadError, OSError):
        return
    if decision.verdict is Verdict.FORWARD and isinstance(cause, Exception):
        raise _unfinished(journal, cause) from cause


def _unfinished(journal: Journal, cause: Exception) -> ChangeUnfinishedError:
    fact = cause.message if isinstance(cause, SealsteadError) else type(cause).__name__
    return ChangeUnfinishedError(
        f"{journal.command} is done, but not everything is in its place yet: {fact}",
        hint="run it again: it finishes by itself, nothing is lost",
    )
