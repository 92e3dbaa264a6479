"""Where what a command makes may go: not among the keys, and not over what another program has made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.errors import ConflictError

if TYPE_CHECKING:
    from sealstead.custody.key_dir import KeyDir


class KeyInTheWayError(ConflictError):
    """Something else was to be written to the directory of keys, or in the place of one."""

    code = "key-in-the-way"


class OtherContentError(ConflictError):
    """What stands where something is to be written was not made by such a command, so `--force` does not replace it."""

    code = "other-content"


def refuse_key_dir(directory: KeyDir, target: Path) -> None:
    """Refuse to write among the keys that are in use, whatever `--force` says.

    Raises:
        KeyInTheWayError: the target is in the key directory.
    """
    parent = target.absolute().parent
    if parent.exists() and directory.path.exists() and parent.samefile(directory.path):
        raise KeyInTheWayError(f"{target} is in the key directory", hint="write it somewhere else")
