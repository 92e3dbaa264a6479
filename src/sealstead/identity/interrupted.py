"""Which key an encrypted file holds in the middle of a change: a key file and its public half are two renames."""

from __future__ import annotations

from pathlib import Path

from sealstead.custody.journal_file import digest, load_journal
from sealstead.custody.key_dir import KeyDir
from sealstead.errors import SealsteadError
from sealstead.formats.minisign_key import PublicKey
from sealstead.identity.places import read_public


def promised_by_journal(directory: KeyDir, path: Path, blob: bytes) -> PublicKey | None:
    """Return the public half of the key file `path` with the content `blob`, if a change under way is making it."""
    try:
        journal = load_journal(directory)
    except SealsteadError:
        return None
    for step in journal.steps if journal is not None else ():
        if step.keyring or not step.secret or str(path) not in (step.store, step.staged):
            continue
        if step.after != digest(blob):
            return None  # as it was before: what stands beside it is of the same time
        beside = Path(step.store).with_suffix(".pub")
        for each in journal.steps if journal is not None else ():
            if (
                each.store == str(beside)
                and each.staged is not None
                and (key := read_public(Path(each.staged)))
            ):
                return key
        return read_public(beside)
    return None
