"""Which of several encrypted keys a profile may mean, where nothing beside them tells which is which."""

from __future__ import annotations

import hashlib

from sealstead.formats.minisign_key import PublicKey
from sealstead.identity.places import AmbiguousKeyError, FoundKey


def the_one(unknown: list[FoundKey], wanted: PublicKey | None) -> FoundKey | None:
    """Return the encrypted key that may be the wanted one. None of them tells, but the name of an archive may.

    Raises:
        AmbiguousKeyError: it may be one or another.
    """
    possible: list[FoundKey] = []
    for found in unknown:
        named = _named_in_archive(found)
        if wanted is not None and named == wanted.id:
            return found
        # One key in two places, under whatever passphrases: the first place counts.
        in_use = found.source in ("disk", "keyring")
        again = any(
            each.identity == found.identity and each.source in ("disk", "keyring") for each in possible
        )
        if named is None and not (in_use and again) and all(each.blob != found.blob for each in possible):
            possible.append(found)
    if len(possible) > 1 and wanted is not None:
        names = ", ".join(str(found.path or f"the keyring entry of {found.identity}") for found in possible)
        raise AmbiguousKeyError(
            f"key {wanted.id}, which the profile names, may be any of these, for they are encrypted: {names}",
            hint="say which with --key or PYPI_PROFILE_KEY_PATH, or put its .pub file beside it",
        )
    return possible[0] if possible else None


def _named_in_archive(found: FoundKey) -> str | None:
    """Return the key id in the name of an archived key; None where that is a digest of the file instead."""
    if found.source != "archive" or found.path is None:
        return None
    name = found.path.stem.rpartition(".")[2]
    return None if name == hashlib.sha256(found.blob).hexdigest()[:16].upper() else name
