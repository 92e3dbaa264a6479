"""A head start for one long file: it is digested while the program is still starting.

Of the time to sign a long file, its digest is the most, and the start of Python a good part of the rest. The digest
needs no lock of the interpreter's, so both go on at once. It counts only if the file is, to the inode and the nanosecond,
the one that is asked for, and with the hash algorithm that was guessed. This is imported before all else.
"""

from __future__ import annotations

import os
import stat
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sealstead.codesign.digested import Digested

_WORTH_IT = 1 << 22
_SWITCH_SECONDS = 0.0001
"""How long the digest waits at most for the lock of the interpreter, which the start of the program holds."""
_DIGEST_OPTIONS = ("--fd", "--file-digest")

_started: dict[str, _Early] = {}


def begin_early(arguments: Sequence[str]) -> None:
    """Begin with the first long program among the arguments of a command, whether it will be asked for or not."""
    algorithm = "SHA256"
    for number, name in enumerate(arguments[:-1]):
        if name in _DIGEST_OPTIONS:
            algorithm = arguments[number + 1].upper()
    for name in arguments:
        try:
            status = os.stat(name)  # noqa: PTH116 - no pathlib here
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size >= _WORTH_IT:
            sys.setswitchinterval(_SWITCH_SECONDS)
            path = os.path.realpath(name)
            _started[path] = _Early(path, algorithm)
            return


def digested_early(path: Path, algorithms: Sequence[str]) -> Digested | None:
    """Return what was found out about a file before it was asked for, if that is what is asked."""
    started = _started.pop(str(path), None)
    return None if started is None else started.result(algorithms)


class _Early:
    """A digest in the making. Whatever goes wrong here is told when the file is read again in its turn."""

    def __init__(self, path: str, algorithm: str) -> None:
        self._path = path
        self._algorithm = algorithm
        self._found: Digested | None = None
        # Nobody waits for it if the command ends for another reason.
        self._thread = threading.Thread(target=self._work, daemon=True, name="digest")
        self._thread.start()

    def _work(self) -> None:
        try:
            from pathlib import Path

            from sealstead.codesign.kind_pe import read_program
            from sealstead.formats.digests import SIGNING

            if self._algorithm in SIGNING:
                self._found = read_program(Path(self._path), [self._algorithm])
        except Exception:  # noqa: BLE001 - also of an import: the rest of the program imports at the same time
            self._found = None

    def result(self, algorithms: Sequence[str]) -> Digested | None:
        from sealstead.codesign.undo import facts_of

        if list(algorithms) != [self._algorithm]:
            return None
        self._thread.join()
        try:
            now = facts_of(os.stat(self._path))  # noqa: PTH116 - as above
        except OSError:
            return None
        return self._found if self._found is not None and self._found.facts == now else None
