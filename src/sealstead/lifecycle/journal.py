"""What a journal says about a change that several stores cannot make together, and what to do about one left behind.

A change is a list of steps over stores (files, an entry of a keyring), each with the digest of its content before
and after. Exactly one step commits: its store decides. The phases, in the order in which they are carried out:

  1. everything staged; then PREPARE: copies that only add, such as the old key in its archive;
  2. COMMIT: the one rename. Before it, a change is rolled back; after it, forward;
  3. FOLLOW: the other stores, from staged content alone: no passphrase and no network is needed;
  4. what was only prepared for the way (`transient`) is destroyed, last of all.

Rules of `decide`:
  * a store that holds neither its "before" nor its "after" is somebody else's doing: a conflict, nothing is touched;
  * a store that cannot be looked at now (`UNKNOWN`) is no conflict: it is left, and settled later;
  * a store that went ahead of the commit, or a commit that was undone by hand, is a conflict too: to finish either
    way would overwrite what a person chose;
  * rolling back never removes the last copy of a secret that was there before.

Digests say nothing about a secret: a secret key has 256 random bits. The journal itself holds no secret.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sealstead.errors import ConflictError
from sealstead.record import Record

VERSION = 1
UNKNOWN: Final = "?"
"""Seen for a store that cannot be looked at now, such as a keyring that does not answer."""


class JournalDamagedError(ConflictError):
    """The journal is not one of ours, or of a version to come: nothing can be decided from it."""

    code = "journal-damaged"


class Phase(enum.StrEnum):
    PREPARE = "prepare"
    COMMIT = "commit"
    FOLLOW = "follow"


class Verdict(enum.StrEnum):
    BACK = "back"
    FORWARD = "forward"
    CONFLICT = "conflict"


class Step(Record):
    """One store, from `before` to `after`: SHA-256 in hex, None where there is nothing."""

    store: str
    """Path of a file, or the identity of an entry in the keyring."""
    phase: Phase
    before: str | None
    after: str | None
    staged: str | None = None
    """Path of the new content; it is gone once it has been renamed to its place."""
    secret: bool = False
    transient: bool = False
    """Of a PREPARE step: what it made, or found there already, is destroyed at the end."""
    keyring: bool = False

    def __post_init__(self) -> None:
        if not all(isinstance(text, str | None) for text in (self.before, self.after, self.staged)):
            raise TypeError("a digest or a path is a text or nothing")


class Journal(Record):
    command: str
    identity: str
    steps: tuple[Step, ...]
    facts: Mapping[str, Any] = MappingProxyType({})
    """What a report and the index of keys need afterwards; no secret."""

    def __post_init__(self) -> None:
        if [step.phase for step in self.steps].count(Phase.COMMIT) != 1:
            raise JournalDamagedError("a change has exactly one step that commits")
        if len({(step.store, step.keyring) for step in self.steps}) != len(self.steps):
            raise JournalDamagedError("a change touches each store once")
        if any(step.before == step.after and not step.transient for step in self.steps):
            raise JournalDamagedError("a step changes what its store holds, or destroys it at the end")

    @property
    def commit(self) -> Step:
        return next(step for step in self.steps if step.phase is Phase.COMMIT)

    def of(self, phase: Phase) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.phase is phase)


class Seen(Record):
    """What a store holds now, and whether the staged content is still there, whole."""

    holds: str | None
    """A digest, None for nothing, or UNKNOWN."""
    staged: bool = False


class Decision(Record):
    verdict: Verdict
    apply: tuple[Step, ...] = ()
    """Going forward: the steps still to make, in this order."""
    remove: tuple[Step, ...] = ()
    """Going back: what the change added. Going forward: what it no longer needs, last of all."""
    unsettled: tuple[Step, ...] = ()
    """Going forward: stores that cannot be looked at now."""
    conflicts: tuple[str, ...] = ()
    """For people: which store holds what nobody expected."""


def decide(journal: Journal, seen: Mapping[Step, Seen]) -> Decision:
    """Say how to end a change that was left behind; `seen` has every step of the journal."""
    committed = _state(journal.commit, seen[journal.commit]) == "after"
    strange = [
        step
        for step in journal.steps
        if _state(step, seen[step]) == "strange"
        and not (committed and step.transient and seen[step].holds is None)  # destroyed, as it was to be
    ]
    if strange:
        return _conflict(*(f"{_name(step)} has been changed by somebody else" for step in strange))
    if _state(journal.commit, seen[journal.commit]) == UNKNOWN:
        return _conflict(f"{_name(journal.commit)} cannot be read")
    return _forward(journal, seen) if committed else _back(journal, seen)


def undo(journal: Journal, seen: Mapping[Step, Seen]) -> Decision:
    """Say how to go back, for the process that makes the change and knows that it has not committed it.

    Whoever finds a journal does not know that: for them, a store that somebody has changed is a conflict.
    """
    return _back(journal, seen)


def _back(journal: Journal, seen: Mapping[Step, Seen]) -> Decision:
    ahead = [step for step in journal.of(Phase.FOLLOW) if _state(step, seen[step]) == "after"]
    if ahead:
        return _conflict(
            f"{_name(journal.commit)} has been put back to what it was",
            *(f"{_name(step)} is new already" for step in ahead),
        )
    elsewhere = {seen[step].holds for step in journal.steps if step.phase is not Phase.PREPARE}
    return Decision(
        verdict=Verdict.BACK,
        remove=tuple(
            step
            for step in journal.of(Phase.PREPARE)
            if _state(step, seen[step]) == "after"
            and step.before is None
            and (not step.secret or step.after in elsewhere)
        ),
    )


def _forward(journal: Journal, seen: Mapping[Step, Seen]) -> Decision:
    steps = journal.of(Phase.FOLLOW)
    left = tuple(step for step in steps if _state(step, seen[step]) == "before")
    gone = [step for step in left if step.after is not None and not step.keyring and not seen[step].staged]
    # What is replaced must be safe first. Once nothing is left to replace, an archive that is gone was destroyed.
    missing = [step for step in journal.of(Phase.PREPARE) if step.secret and seen[step].holds is None]
    replaced = [step for step in left if step.secret]
    if gone or (missing and replaced):
        return _conflict(
            *(f"the new content of {_name(step)} is gone" for step in gone),
            *(f"{_name(step)} is gone, the copy of what is to be replaced" for step in missing),
        )
    return Decision(
        verdict=Verdict.FORWARD,
        apply=left,
        remove=tuple(
            step
            for step in journal.of(Phase.PREPARE)
            if step.transient and _state(step, seen[step]) == "after"
        ),
        unsettled=tuple(step for step in steps if _state(step, seen[step]) == UNKNOWN),
    )


def _state(step: Step, seen: Seen) -> str:
    if seen.holds == UNKNOWN:
        return UNKNOWN
    if seen.holds == step.after:
        return "after"
    return "before" if seen.holds == step.before else "strange"


def _name(step: Step) -> str:
    return f"the keyring entry of {step.store}" if step.keyring else step.store


def _conflict(*reasons: str) -> Decision:
    return Decision(verdict=Verdict.CONFLICT, conflicts=reasons)


def serialize_journal(journal: Journal) -> bytes:
    value = {
        "version": VERSION,
        **vars(journal),
        "steps": [vars(step) for step in journal.steps],
        "facts": dict(journal.facts),
    }
    return json.dumps(value, indent=1, ensure_ascii=True).encode() + b"\n"


def parse_journal(data: bytes) -> Journal:
    """Return the journal in `data`.

    Raises:
        JournalDamagedError: it is none, or this version does not know it.
    """
    try:
        value = json.loads(data)
        if value.pop("version") != VERSION:
            raise JournalDamagedError(
                "the journal is of another version of Sealstead", hint="run the version that wrote it"
            )
        steps = tuple(Step(**{**step, "phase": Phase(step["phase"])}) for step in value.pop("steps"))
        facts = dict(value.pop("facts"))
        return Journal(**value, steps=steps, facts=facts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise JournalDamagedError("the journal of a change cannot be read") from exc
