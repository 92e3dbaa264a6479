"""Put another key in the place of a profile's key: what `key-rotate`, `key-recover` and `key-restore` share.

The profile gets the new public key, every stored proof signed anew, and its statements; the key files and the keyring
follow. All of it is prepared and signed first, then made by `change.carry_out`, so that finishing it after a crash
needs neither passphrase nor network.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sealstead.errors import ConflictError
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.formats.profile_edit import edit_profile
from sealstead.formats.profile_schema import Profile
from sealstead.formats.profile_toml import parse_profile
from sealstead.identity.change import Change, FileChange, carry_out
from sealstead.identity.history import (
    broken_promise,
    lost_entry,
    new_entry,
    old_entry,
    retiring_entries,
)
from sealstead.identity.places import FoundKey, KeyPlaces
from sealstead.identity.profile import ProfileFile, ProfileUnreadableError
from sealstead.identity.proofs import sign_all
from sealstead.identity.rekeyed import Rekeyed, report
from sealstead.identity.slots import (
    KeyFile,
    Slot,
    displaced_by,
    fill,
    keyring_change,
    leaving,
)
from sealstead.identity.statements import Believed, carried_over, profile_key, shortened
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record, replace


class SelfCheckError(ConflictError):
    """What was prepared does not say what it should: nothing was changed."""

    code = "self-check"


class Order(Record):
    """One replacement, ready to be made. `old_public` is the profile's key where no secret half was found."""

    command: str
    slot: Slot
    profile: ProfileFile | None
    old: FoundKey | None
    old_public: PublicKey | None
    new_key: SecretKey | None
    """None: the profile names it already, and nothing is to be signed."""
    new: KeyFile
    statements: tuple[str, ...] = ()
    """To be added to the profile's own."""
    retires_at: datetime | None = None
    keep_old: bool = True
    proofs_end: datetime | None = None
    package: str | None = None
    """The distribution that publishes the profile; None: as each stored proof says, or by the rule."""
    kept_promises: tuple[Believed, ...] = ()
    """Keys that were retiring already; among `statements` is one for each, by which it keeps its end."""
    leaves_archive: FoundKey | None = None
    """An archived key that becomes the active one: its copy in the archive goes at the end."""


def rekey(places: KeyPlaces, order: Order, *, at: datetime) -> Rekeyed:
    """Make the replacement. The caller holds the directory's lock and has called `recover_pending`.

    Raises:
        ProfileEditError, ProfileUnreadableError: the profile cannot be changed; nothing was.
        ChangeConflictError, ChangeUnfinishedError, WriteFailedError: as `carry_out`.
    """
    displaced, changes = displaced_by(
        places, order.slot, order.new, old=order.old, old_public=order.old_public
    )
    if not order.keep_old and order.old is not None:
        changes = _destroying(changes, order.old)
    if order.leaves_archive is not None and order.leaves_archive.path is not None:
        changes += leaving(order.leaves_archive.path, order.leaves_archive.blob)
    text = None if order.profile is None or order.new_key is None else _new_text(order, at)
    files = [*changes, *fill(order.slot, order.new)]
    if order.profile is not None and text is not None:
        files.append(
            FileChange(
                path=order.profile.path,
                content=text.encode(),
                phase=Phase.COMMIT,
                expected=order.profile.data,
                checked=True,
            )
        )
    keyring, warning = keyring_change(places, order.slot, order.new, predecessors=displaced, fill_empty=False)
    path = order.profile.path if order.profile else None
    after = _parsed(order.profile, text) if order.profile and text is not None else None
    entries = [
        new_entry(places, order.slot, order.new, at=at, in_keyring=keyring is not None, profile=path),
        *(
            old_entry(
                places,
                order.slot.identity,
                each,
                at=at,
                successor=order.new.public,
                retires_at=order.retires_at if _is_old(order, each.blob) else None,
                kept=order.keep_old or not _is_old(order, each.blob),
            )
            for each in displaced
        ),
    ]
    if order.old is None and order.old_public is not None:
        entries.append(
            lost_entry(places, order.slot.identity, order.old_public, at=at, successor=order.new.public)
        )
    warnings = [warning] if warning else []
    if order.profile is not None and after is not None:
        short = shortened(order.profile.profile, after, at)
        warnings += [broken_promise(each, end, at) for each, end in short if each.key != order.old_public]
        entries += retiring_entries(places, {each.key: end for each, end in short})
        kept = {each.key: each.retires_at for each in order.kept_promises if each.retires_at is not None}
        entries += retiring_entries(places, kept)
    archive = displaced[0].archive if displaced and order.keep_old else None
    facts: dict[str, Any] = {
        "old_id": order.old_public.id if order.old_public else None,
        "new_id": order.new.public.id,
        "new_public_key": order.new.public.line,
        "secret": str(order.slot.secret),
        "archive": str(archive) if archive else None,
        "profile": str(path) if path else None,
        "retires_at": order.retires_at.isoformat() if order.retires_at else None,
        "in_keyring": keyring is not None,
        "stated": len(order.statements) > len(order.kept_promises),
    }
    told = carry_out(
        places,
        Change(
            command=order.command,
            identity=order.slot.identity,
            files=tuple(files),
            keyring=keyring,
            index=tuple(entry for entry in entries if entry is not None),
            facts=facts,
        ),
    )
    return report(order.command, order.slot.identity, facts, after, [*warnings, *told])


def _new_text(order: Order, at: datetime) -> str:
    """Return the profile's complete new text, read back: key, proofs and statements."""
    file, key = order.profile, order.new_key
    if file is None or key is None:
        raise SelfCheckError("there is no profile to write")
    if file.installed:
        raise ProfileUnreadableError(
            f"{file.path} belongs to the installed distribution {file.name}",
            hint="change the source that it is built from",
        )
    statements = (*carried_over(file.profile, key, at=at), *order.statements)
    proofs = sign_all(file.profile, key, at=at, expires=order.proofs_end, package=order.package)
    text = edit_profile(
        file.text,
        table=file.table,
        public_key=order.new.public.line,
        proofs=proofs,
        statements=statements if statements != file.profile.verification.statements else None,
        source=file.name,
    )
    after = _parsed(file, text)
    unchanged = [
        link.url
        for link, before in zip(after.profiles, file.profile.profiles, strict=True)
        if before.stored_proof and link.stored_proof == before.stored_proof
    ]
    if profile_key(after) != order.new.public or unchanged:
        raise SelfCheckError(f"the new text of {file.name} does not hold the new key and all its proofs")
    return text


def _parsed(file: ProfileFile, text: str) -> Profile:
    return parse_profile(text.encode(), table=file.table, source=file.name)[0]


def _is_old(order: Order, blob: bytes) -> bool:
    return order.old is not None and blob == order.old.blob


def _destroying(changes: list[FileChange], old: FoundKey) -> list[FileChange]:
    """Return the changes such that no copy of the old key stays; the archive holds it until all else is done."""
    if old.source == "archive" and old.path is not None:
        return [*changes, *leaving(old.path, old.blob)]
    own = {each.path.with_suffix("") for each in changes if each.content == old.blob}
    return [replace(each, transient=True) if each.path.with_suffix("") in own else each for each in changes]
