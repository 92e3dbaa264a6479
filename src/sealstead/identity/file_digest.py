"""Digests of files of any length. A long one may have had a head start."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sealstead.errors import ConflictError, InputError
from sealstead.identity.digesting import Digested, digest_open, facts_of
from sealstead.identity.head_start import digested_early


class FileError(InputError):
    """The file to sign or to check, or its signature, cannot be read or written."""

    code = "file"


class FileChangedError(ConflictError):
    """The file changed while it was read: nobody knows what was signed."""

    code = "file-changed"


def digest_file(path: Path) -> Digested:
    """Return BLAKE2b-512 of the file, and its begin.

    Raises:
        FileError: it cannot be read.
        FileChangedError: it changed while it was read.
    """
    try:
        facts = facts_of(path.stat())
        found = digested_early(facts)
        if found is not None and facts_of(path.stat()) == facts:
            return found
        with path.open("rb", buffering=0) as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise FileError(f"{path} is a directory")
            found = digest_open(file.fileno())
    except OSError as exc:
        raise FileError(f"{path} cannot be read: {exc.strerror}") from exc
    if found is None:
        raise FileChangedError(f"{path} changed while it was read", hint="try again when it is finished")
    return found
