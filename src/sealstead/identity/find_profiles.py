"""Find the profiles below a directory. Links are not followed, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sealstead.errors import SealsteadError
from sealstead.identity.profile import PROFILE_NAME, PYPROJECT_NAME, NoProfileError, has_table

DEPTH = 6
_SKIPPED = frozenset(
    {
        "__pycache__",
        "build",
        "dist",
        "env",
        "node_modules",
        "site-packages",
        "temp",
        "venv",
    }
)
"""What is made by tools, or belongs to others; hidden directories are skipped too."""


def find_profiles(root: Path, *, depth: int = DEPTH) -> list[Path]:
    """Return the profiles in `root` and at most `depth` directories below it: first those that are files of their own.

    Raises:
        NoProfileError: `root` is not a directory.
    """
    if not root.is_dir():
        raise NoProfileError(f"{root} is not a directory")
    found = sorted(_walk(root.resolve(), depth))
    return [path for path in found if path.name == PROFILE_NAME] + [
        path for path in found if path.name == PYPROJECT_NAME
    ]


def _walk(directory: Path, depth: int) -> Iterator[Path]:
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return  # not ours to look into
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if depth > 0 and not _is_skipped(entry.name):
                yield from _walk(path, depth - 1)
        elif entry.name == PROFILE_NAME or (entry.name == PYPROJECT_NAME and _has_table(path)):
            yield path


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SKIPPED or name.endswith(".egg-info")


def _has_table(pyproject: Path) -> bool:
    try:
        return has_table(pyproject)
    except SealsteadError:
        return False
