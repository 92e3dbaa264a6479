"""One writer of profiles at a time, whatever directories their keys are in; and what a killed one left beside the file.

The lock is one of this user, in the user's own key directory: a profile is in somebody's repository, where nothing
is to be left. Where it cannot be had at all, writing goes on without it, and leftovers stay.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from sealstead.custody.key_dir import KeyDir, KeyDirError, default_key_dir
from sealstead.custody.locks import LockBusyError, locked
from sealstead.errors import ConflictError

LOCK_FILE = ".profile.lock"
LOCK_SECONDS = 10.0


class ProfileBusyError(ConflictError):
    """Another command is writing a profile, and did not end in time."""

    code = "profile-busy"


@contextlib.contextmanager
def profile_lock(path: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep other commands of this user from writing profiles, and clear away what they left beside `path`.

    Raises:
        ProfileBusyError: one of them holds the lock for longer than `seconds`.
    """
    with contextlib.ExitStack() as held:
        try:
            home = KeyDir(default_key_dir())
            home.make()
            held.enter_context(locked(home.path / LOCK_FILE, seconds=seconds))
        except LockBusyError as exc:
            raise ProfileBusyError(
                f"another command is writing a profile, so {path} was left as it is",
                hint="try again when it has ended",
            ) from exc
        except (KeyDirError, OSError):
            pass
        else:
            _sweep(path)
        yield


def has_leftovers(path: Path) -> bool:
    """Tell whether a process that was writing `path` was killed; or is writing it now."""
    return any(_leftovers(path))


def _sweep(path: Path) -> None:
    """Remove temporary files of ours. Whoever holds the lock knows that their writers are gone."""
    for left in _leftovers(path):
        with contextlib.suppress(OSError):
            left.unlink()


def _leftovers(path: Path) -> Iterator[Path]:
    # As `files.write_atomically` names them.
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.tmp")
    try:
        names = [entry.name for entry in os.scandir(path.parent) if ours.fullmatch(entry.name)]
    except OSError:
        return
    for name in names:
        found = path.with_name(name)
        with contextlib.suppress(OSError):
            status = found.lstat()
            mine = not hasattr(os, "getuid") or status.st_uid in (os.getuid(), path.stat().st_uid)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and mine:
                yield found
