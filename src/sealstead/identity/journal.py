"""What every command on keys does first: look at the journal, and end a change that was left behind.

Commands that only read never write: they take `find_pending`, tell the user, and find the key by its id wherever it
is. Commands that write call `recover_pending`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealstead.custody import journal_file
from sealstead.custody.journal_file import digest, digest_of, load_journal
from sealstead.custody.key_dir import DEBTS_FILE, KeyDir
from sealstead.custody.keyring_debts import ABSENT, Debt, load_debts, save_debts
from sealstead.custody.os_keyring import (
    KeyringChangedError,
    KeyringRefusedError,
    KeyringStore,
    KeyringTimeoutError,
)
from sealstead.errors import ParseError
from sealstead.formats.minisign import PublicKey, parse_public_key, serialize_public_key
from sealstead.identity.places import KeyPlaces
from sealstead.identity.steps import conflict, finish, look, roll_back
from sealstead.lifecycle.journal import Verdict, decide
from sealstead.record import Record


class Recovered(Record):
    """A change that an earlier command had left behind, and how it ended now."""

    forward: bool
    command: str
    identity: str
    facts: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        if self.forward:
            return f"an interrupted {self.command} of {self.identity} has been finished"
        return f"an interrupted {self.command} of {self.identity} has been undone: everything is as before it"


def find_pending(directory: KeyDir) -> str | None:
    """Return a line about a change left behind in `directory`, for commands that must not end it.

    Raises:
        JournalDamagedError: there is a journal that nobody can read.
    """
    journal = load_journal(directory)
    if journal is None:
        return None
    return (
        f"an interrupted {journal.command} of {journal.identity} waits: the next command that writes ends it"
    )


def recover_pending(places: KeyPlaces) -> Recovered | None:
    """End a change that was left behind, back or forward, and settle what the keyring is owed.

    Needs neither passphrase nor network. Does nothing, and takes no lock, where nothing is pending.

    Raises:
        ChangeConflictError: somebody changed a store meanwhile; nothing was touched.
        JournalDamagedError: there is a journal that nobody can read.
        KeyDirBusyError: another command is at work; it may be the one that is making the change.
    """
    if not places.directory.has_traces():
        return None
    with places.directory.lock():
        journal = load_journal(places.directory)
        if journal is None:
            journal_file.sweep(places.directory)
            settle_debts(places)
            return None
        decision = decide(journal, look(places, journal))
        if decision.verdict is Verdict.CONFLICT:
            raise conflict(journal, decision.conflicts)
        journal_file.sweep(places.directory)
        warnings: list[str] = []
        if decision.verdict is Verdict.BACK:
            roll_back(places, journal, decision.remove)
        else:
            warnings = finish(places, journal)
        return Recovered(
            forward=decision.verdict is Verdict.FORWARD,
            command=journal.command,
            identity=journal.identity,
            facts=journal.facts,
            warnings=tuple(warnings),
        )


def settle_debts(places: KeyPlaces) -> None:
    """Bring entries of the keyring up to date whose last write timed out, if it answers now."""
    debts = load_debts(places.directory)
    journal_file.remove(places.directory.staged_path(places.directory.path / DEBTS_FILE))
    if not debts or places.keyring is None:
        return
    left = {identity: debt for identity, debt in debts.items() if not _settled(places, places.keyring, debt)}
    if left != debts:
        save_debts(places.directory, left)


def _settled(places: KeyPlaces, keyring: KeyringStore, debt: Debt) -> bool:
    try:
        found = keyring.get(debt.identity)
        if (ABSENT if found is None else digest(found)) not in debt.before:
            return True  # it is up to date, or somebody else's by now
        path = places.directory.secret_path(debt.identity)
        if digest_of(path) == debt.after:
            keyring.put(debt.identity, path.read_bytes(), expected=found)
    except (KeyringTimeoutError, KeyringRefusedError):
        return False
    except KeyringChangedError:
        return True
    return True


def give_up(places: KeyPlaces) -> list[Path]:
    """End a change that cannot be ended: every store stays as it is now, staged keys go to the archive.

    Returns the files that were kept. For when a person has decided (`key-restore --give-up`).
    """
    with places.directory.lock():
        journal = load_journal(places.directory)
        if journal is None:
            return []
        kept: list[Path] = []
        public = _line(str(journal.facts.get("new_public_key", "")))
        for step in journal.steps:
            if (
                step.staged is not None
                and step.secret
                and step.after
                and digest_of(Path(step.staged)) == step.after
            ):
                path = _archive_path(places, journal.identity, public, step.after)
                journal_file.add(Path(step.staged), path)
                if public is not None and not path.with_suffix(".pub").exists():
                    # An encrypted key does not tell its public half.
                    places.directory.store_public(path.with_suffix(".pub"), serialize_public_key(public))
                kept.append(path)
        roll_back(places, journal, ())
        return kept


def _archive_path(places: KeyPlaces, identity: str, public: PublicKey | None, content: str) -> Path:
    """Return a free name of an archived key, by its id, else by its digest."""
    if public is not None and not places.directory.archive_path(identity, public.id).exists():
        return places.directory.archive_path(identity, public.id)
    return places.directory.archive_path(identity, content[:16].upper())


def _line(text: str) -> PublicKey | None:
    try:
        return parse_public_key(text)
    except ParseError:
        return None
