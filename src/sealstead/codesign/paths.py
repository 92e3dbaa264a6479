r"""Paths as people type them: below the base directory, with `~`, and never with a Windows variable left in them.

`%USERPROFILE%\.signotaur\api_key.txt` is what the documentation of the commands that we replace says. A POSIX shell
leaves it as it is, and a secret would land in a file of that strange name in the current directory.
"""

from __future__ import annotations

import re
from pathlib import Path

from sealstead.errors import InputError

_VARIABLE = re.compile(r"%([A-Za-z_][A-Za-z0-9_()]*)%")
_HOME = ("USERPROFILE", "HOMEPATH", "HOME")


class UnexpandedPathError(InputError):
    """A variable in a path was not replaced by its value."""

    code = "unexpanded-path"


def chosen_path(text: str | Path, *, base: Path) -> Path:
    """Return the absolute path that `text` means below `base`.

    Raises:
        UnexpandedPathError: `%NAME%` still stands in it.
    """
    given = str(text)
    match = _VARIABLE.search(given)
    if match:
        raise UnexpandedPathError(
            f"{given}: the shell has not replaced %{match[1]}%", hint=f"write {_posix(given, match)}"
        )
    if given == "~" or given.startswith(("~/", "~\\")):
        # Where the shell had no chance, such as behind `=` or in a settings file.
        given = str(Path.home()) + given[1:]
    return base / given


def _posix(given: str, match: re.Match[str]) -> str:
    rest = given[match.end() :]
    name = "HOME" if match[1].upper() in _HOME else match[1]
    if not match.start() and rest.startswith(("\\", "/")):
        return f'"${name}{rest.replace(chr(92), "/")}"'
    # A shell has eaten the backslashes, too: where the names ended cannot be told.
    return "it as this system does, for example ~/.signotaur/api_key.txt"
