"""Say which command puts a key into a profile that names none: the one that does not refuse."""

from __future__ import annotations

from sealstead.custody.key_dir import DEFAULT_IDENTITY
from sealstead.errors import SealsteadError
from sealstead.identity.places import KeyPlaces, index_entries


def key_step(places: KeyPlaces, identity: str) -> str:
    """Return what to type so that a profile of `identity` names a key. Looks at the disk only.

    A key of another identity, `default` too, is written into a profile only when somebody says so.
    """
    try:
        names = places.directory.identities()
    except SealsteadError:
        names = []
    names += [
        entry.identity
        for entry in index_entries(places)
        if entry.archived_at is None and "keyring" in entry.stored
    ]
    if identity in names:
        return f"update-proofs writes the key of {identity} there"
    if not names:
        return f"keygen makes a key of {identity}, and writes it there"
    other = DEFAULT_IDENTITY if DEFAULT_IDENTITY in names else names[0]
    return f"keygen makes a key of {identity}; to take the one of {other}: update-proofs --keyring-identity {other}"
