"""Tells whether a file that is to hold a secret would be offered to git, and from there to everybody."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sealstead.errors import DeniedError

_SECONDS = 20
_IGNORED = 0
_NOT_IGNORED = 1


class InsideGitTreeError(DeniedError):
    """A secret was to be written into a git work tree where git does not ignore it."""

    code = "inside-git-tree"


def check_not_in_git(path: Path) -> None:
    """Do nothing if git would never see `path`, which need not exist.

    Raises:
        InsideGitTreeError: it is in a work tree, and not ignored there, or nobody can tell.
    """
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    folder = folder.resolve()
    top = next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)
    if top is None:
        return
    missing = path.parent.relative_to(path.parent)
    if path.parent != folder:
        with_missing = Path(os.path.realpath(path.parent))
        missing = with_missing.relative_to(folder) if with_missing.is_relative_to(folder) else missing
    # Behind `./` nothing of a name has a meaning of its own to git, such as `:(top)` would have.
    reason = _why_not(folder, f"./{missing / path.name}")
    if reason:
        raise InsideGitTreeError(
            f"{path} is inside the git work tree {top}{reason}",
            hint=f"choose a path outside, add {path.name} to .gitignore, or say --force",
        )


def _why_not(folder: Path, name: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ", and there is no git to ask whether it is ignored"
    # The work tree around the file counts, not one that the environment names (inside a git hook, for one).
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = [program, "-C", str(folder), "-c", "core.fsmonitor=false", "check-ignore", "-q", "--", name]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, and a path behind --
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ", and git does not say whether it is ignored"
    if done.returncode == _IGNORED:
        return ""
    if done.returncode == _NOT_IGNORED:
        return ", which does not ignore it"
    return ", and git does not say whether it is ignored"
