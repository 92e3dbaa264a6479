"""Puts finished signatures where they belong: into the file in place, or as a new file and a rename."""

from __future__ import annotations

import contextlib
import os
import re
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
        if os.name == "posix":
            if not try_lock(descriptor):
                return TargetBusyError(f"{new.source} is being signed by another process")
            _sweep(new.path)
        check_unchanged(new.source, descriptor, new.facts)
        if new.path.exists():
            files.replace_content(new.path, new.content)
        else:
            files.write_atomically(new.path, new.content, mode=_MODE, replace=True)
    except OSError as exc:
        return TargetUnwritableError(f"{new.path} cannot be written: {exc.strerror}")
    except SealsteadError as exc:
        return exc
    finally:
        os.close(descriptor)
    return None


def _sweep(path: Path) -> None:
    """Remove what a killed process left unfinished; nobody else is at it, for we hold the lock of the file."""
    name = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{12}\.tmp")
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)  # noqa: PTH108 - an entry has a text for a path
