"""The steps of a change, one by one: look at the stores, make a step, finish, go back.

Nothing here decides: `lifecycle.journal` does. A step is made only while its store holds what the journal says it held.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sealstead.custody import journal_file
from sealstead.custody.journal_file import digest, digest_of
from sealstead.custody.key_index import ForeignIndexError, IndexEntry, entry_of, record
from sealstead.custody.keyring_debts import ABSENT, Debt, load_debts, save_debts
from sealstead.custody.os_keyring import KeyringChangedError, KeyringRefusedError, KeyringTimeoutError
from sealstead.errors import ConflictError
from sealstead.identity.keyslots import KeyPlaces
from sealstead.lifecycle.journal import UNKNOWN, Journal, Phase, Seen, Step, Verdict, decide
from sealstead.record import Record, replace


class ChangeConflictError(ConflictError):
    """A store holds neither what it held before a change nor what it should hold after it. Nothing was touched."""

    code = "change-conflict"


class KeyringChange(Record, hidden=("before", "after")):
    """Only for an entry that has been read: it is written only while it still holds `before`."""

    before: bytes | None
    after: bytes


def look(places: KeyPlaces, journal: Journal, *, ask_keyring: bool = True) -> dict[Step, Seen]:
    """Return what each store of the journal holds now."""
    return {
        step: Seen(
            holds=_keyring_digest(places, step.store, ask=ask_keyring)
            if step.keyring
            else digest_of(Path(step.store)),
            staged=step.staged is not None and digest_of(Path(step.staged)) == step.after,
        )
        for step in journal.steps
    }


def apply(places: KeyPlaces, journal: Journal, step: Step) -> None:
    """Make one step, if its store still holds what it held before.

    Raises:
        ChangeConflictError: it holds something else.
        ProfileBusyError: it is a profile, and another command is writing it.
    """
    if step.keyring:
        _apply_keyring(places, journal, step)
        return
    path = Path(step.store)
    if step.secret or path.parent == places.directory.path:
        _apply_file(step, path)
        return
    from sealstead.identity.profile_lock import profile_lock

    # Somebody may write the profile whose keys are in another directory, so this one's lock does not keep them out.
    with profile_lock(path):
        _apply_file(step, path)


def _apply_file(step: Step, path: Path) -> None:
    found = digest_of(path)
    if found == step.after:
        return
    if found != step.before:
        raise ChangeConflictError(
            f"{path} has been changed meanwhile", hint="nothing was overwritten; run the command again"
        )
    if step.staged is None:
        journal_file.remove(path)
    elif step.before is None:
        journal_file.add(Path(step.staged), path)
    else:
        journal_file.put_in_place(Path(step.staged), path)


def finish(places: KeyPlaces, journal: Journal, *, just_committed: bool = False) -> list[str]:
    """Bring a change to its end that has been committed; return what the user should be warned of.

    `just_committed`, by this very process: then an entry of the keyring that somebody wrote meanwhile is theirs, as
    it would have been a moment earlier. Found later, after a crash, nobody knows what came first: a conflict.

    Raises:
        ChangeConflictError: a store holds what it should not; nothing more is touched.
    """
    seen = look(places, journal)
    warnings: list[str] = []
    for step in journal.steps:
        if just_committed and step.keyring and seen[step].holds not in (step.before, step.after, UNKNOWN):
            journal = replace(journal, steps=tuple(each for each in journal.steps if each != step))
            warnings.append(f"the keyring entry of {step.store} holds another key by now, and stays as it is")
    decision = decide(journal, seen)
    if decision.verdict is not Verdict.FORWARD:
        raise conflict(journal, decision.conflicts)
    unsettled = list(decision.unsettled)
    for step in decision.apply:
        try:
            apply(places, journal, step)
        except (KeyringTimeoutError, KeyringRefusedError) as exc:
            unsettled.append(step)
            warnings.append(f"{exc.message}; its entry for {step.store} is brought up to date later")
        except KeyringChangedError as exc:
            warnings.append(exc.message)
    for step in (journal.commit, *journal.of(Phase.FOLLOW)):
        if not step.keyring and digest_of(Path(step.store)) != step.after:
            raise ChangeConflictError(f"{step.store} does not hold what was written to it")
    warnings += record_index(places, [entry_of(row) for row in journal.facts.get("index", ())])
    _owe(places, journal, unsettled)
    for step in decision.remove:
        journal_file.remove(Path(step.store))
    clean_up(places, journal)
    return warnings


def roll_back(places: KeyPlaces, journal: Journal, remove: Sequence[Step]) -> None:
    for step in remove:
        journal_file.remove(Path(step.store))
    clean_up(places, journal)


def clean_up(places: KeyPlaces, journal: Journal) -> None:
    """Remove what is staged, then the journal: without it nobody would know whose the staged files are."""
    for step in journal.steps:
        if step.staged is not None:
            journal_file.remove(Path(step.staged))
    journal_file.remove_journal(places.directory)


def conflict(journal: Journal, reasons: Sequence[str]) -> ChangeConflictError:
    return ChangeConflictError(
        f"an interrupted {journal.command} cannot be finished nor undone: {'; '.join(reasons)}",
        hint="put back what was changed and run it again, or keep everything as it is now: key-restore --give-up",
    )


def _keyring_digest(places: KeyPlaces, identity: str, *, ask: bool) -> str | None:
    if places.keyring is None or not ask:
        return UNKNOWN
    try:
        blob = places.keyring.get(identity)
    except (KeyringTimeoutError, KeyringRefusedError):
        return UNKNOWN
    return None if blob is None else digest(blob)


def _apply_keyring(places: KeyPlaces, journal: Journal, step: Step) -> None:
    if places.keyring is None:
        raise KeyringRefusedError(places.keyring_reason)
    found = places.keyring.get(step.store)
    if found is not None and digest(found) == step.after:
        return
    if (None if found is None else digest(found)) != step.before:
        raise KeyringChangedError(f"the keyring holds another key for {step.store} than expected")
    places.keyring.put(step.store, _content(places, journal, step), expected=found)


def _content(places: KeyPlaces, journal: Journal, step: Step) -> bytes:
    # A key file that holds the new key already is no step of the change.
    names = [str(places.directory.secret_path(step.store))]
    for other in journal.steps:
        if not other.keyring and other.after == step.after:
            names += [name for name in (other.store, other.staged) if name is not None]
    for path in map(Path, names):
        if digest_of(path) == step.after:
            return path.read_bytes()
    raise ChangeConflictError(f"the new key for the keyring entry of {step.store} is gone")


def keyring_alone(places: KeyPlaces, identity: str, change: KeyringChange | None) -> list[str]:
    """Bring an entry of the keyring up to date where no file changes; return what the user should be warned of."""
    if change is None or change.before == change.after or places.keyring is None:
        return []
    try:
        places.keyring.put(identity, change.after, expected=change.before)
    except KeyringChangedError as exc:
        return [exc.message]
    except (KeyringTimeoutError, KeyringRefusedError) as exc:
        before = ABSENT if change.before is None else digest(change.before)
        debt = Debt(identity=identity, before=(before,), after=digest(change.after))
        save_debts(places.directory, load_debts(places.directory) | {identity: debt})
        return [f"{exc.message}; its entry for {identity} is brought up to date later"]
    return []


def _owe(places: KeyPlaces, journal: Journal, unsettled: Sequence[Step]) -> None:
    debts = dict(load_debts(places.directory))
    known = dict(debts)
    for step in unsettled:
        if step.after is not None:
            before = ABSENT if step.before is None else step.before
            debts[step.store] = Debt(identity=step.store, before=(before,), after=step.after)
    for identity, debt in known.items():
        # The key that an entry still waits for has been replaced in its turn.
        for step in journal.steps:
            if step.before == debt.after and step.after and step.secret and step.phase is not Phase.PREPARE:
                debts[identity] = Debt(identity=identity, before=(*debt.before, debt.after), after=step.after)
    if debts != known:
        save_debts(places.directory, debts)


def record_index(places: KeyPlaces, index: Sequence[IndexEntry]) -> list[str]:
    if not index:
        return []
    try:
        record(places.directory, *index)
    except ForeignIndexError as exc:
        return [f"{exc.message}; key-list will not know of this"]
    return []
