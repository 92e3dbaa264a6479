"""Puts finished signatures where they belong: into the file in place, or as a new file and a rename."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sealstead.at_once import at_once
from sealstead.codesign.digested import NewFile
from sealstead.codesign.undo import (
    Change,
    TargetBusyError,
    TargetUnwritableError,
    change_files,
    check_unchanged,
)
from sealstead.custody import files
from sealstead.custody.locks import try_lock
from sealstead.errors import SealsteadError

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_MODE = 0o644


def place(prepared: Sequence[Change | NewFile], *, jobs: int) -> dict[Path, SealsteadError]:
    """Write all of `prepared`; return what hindered those that were not written, by the path of what was signed."""
    failed = change_files([one for one in prepared if isinstance(one, Change)], jobs=jobs)
    new = [one for one in prepared if isinstance(one, NewFile)]
    for one, exc in zip(new, at_once([partial(_put, one) for one in new], jobs=jobs), strict=True):
        if exc is not None:
            failed[one.source] = exc
    return failed


def _put(new: NewFile) -> SealsteadError | None:
    try:
        descriptor = os.open(new.source, os.O_RDONLY | _NOFOLLOW | _BINARY)
    except OSError as exc:
        return TargetUnwritableError(f"{new.source} cannot be read any more: {exc.strerror}")
    try:
        if os.name == "posix" and not try_lock(descriptor):
            return TargetBusyError(f"{new.source} is being signed by another process")
        check_unchanged(new.source, descriptor, new.facts)
        mode, owner = _like(new.path)
        files.write_leaving_nothing(new.path, new.content, mode=mode, replace=True, owner=owner)
    except OSError as exc:
        return TargetUnwritableError(f"{new.path} cannot be written: {exc.strerror}")
    except SealsteadError as exc:
        return exc
    finally:
        os.close(descriptor)
    return None


def _like(path: Path) -> tuple[int, tuple[int, int] | None]:
    """Return the mode and the owner of the file that is there, or what a new one has."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return _MODE, None
    return stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
