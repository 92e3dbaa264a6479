"""What the replacement of a key came to: which pages need which proof, told the same after a crash as at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sealstead.errors import SealsteadError
from sealstead.formats.profile_schema import Profile
from sealstead.identity.providers import instructions
from sealstead.record import Record


class Page(Record):
    """A page elsewhere, and the text that it has to show from now on."""

    kind: str
    label: str
    url: str
    proof: str
    place: str


class Rekeyed(Record):
    """What was done, or with `dry_run` would be. Ids as minisign prints them."""

    command: str
    identity: str
    old_id: str | None
    new_id: str | None
    new_public_key: str | None
    secret_path: Path
    archived_path: Path | None
    profile_path: Path | None
    retires_at: datetime | None
    pages: tuple[Page, ...]
    in_keyring: bool
    stated: bool
    """A rotation statement, signed by both keys, stands in the profile."""
    warnings: tuple[str, ...] = ()
    dry_run: bool = False


def report(
    command: str,
    identity: str,
    facts: Mapping[str, Any],
    profile: Profile | None,
    warnings: Sequence[str] = (),
) -> Rekeyed:
    """Return what a change came to, from what its journal said and the profile as it is now."""
    return Rekeyed(
        command=command,
        identity=identity,
        old_id=facts["old_id"],
        new_id=facts["new_id"],
        new_public_key=facts["new_public_key"],
        secret_path=Path(facts["secret"]),
        archived_path=Path(facts["archive"]) if facts["archive"] else None,
        profile_path=Path(facts["profile"]) if facts["profile"] else None,
        retires_at=datetime.fromisoformat(facts["retires_at"]) if facts["retires_at"] else None,
        pages=pages_of(profile) if profile else (),
        in_keyring=facts["in_keyring"],
        stated=facts["stated"],
        warnings=tuple(warnings),
    )


def pages_of(profile: Profile) -> tuple[Page, ...]:
    """Return every page with a stored proof, and where the proof goes there."""
    return tuple(
        Page(
            kind=link.kind,
            label=link.label,
            url=link.url,
            proof=link.stored_proof,
            place=_place(link.url, link.kind, rel_me=link.rel_me),
        )
        for link in profile.profiles
        if link.stored_proof
    )


def _place(url: str, kind: str, *, rel_me: bool) -> str:
    try:
        return instructions(url, kind, rel_me=rel_me)[1]
    except SealsteadError:
        return "anywhere on the page"
