"""What a file kind makes of a file: its digests now, and later the change that puts a signature to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Protocol

from sealstead.codesign.undo import Change, Facts, TargetChangedError, facts_of
from sealstead.errors import InputError
from sealstead.record import Record


class TargetUnreadableError(InputError):
    """The file to sign cannot be read."""

    code = "file-unreadable"


class Digested(Record, hidden=("existing", "state")):
    """A file as it was read. `state` is for the kind that read it alone."""

    path: Path
    facts: Facts
    digests: Mapping[str, bytes]
    """By the name of the algorithm, as the server knows it."""
    existing: bytes | None
    """The signature that it has already: a ContentInfo, or the text of a `.minisig` file."""
    state: object = None

    @property
    def size(self) -> int:
        return self.facts[2]


class NewFile(Record, hidden=("content",)):
    """`content` to be put at `path`, whole, in the place of what is there."""

    path: Path
    content: bytes
    source: Path
    facts: Facts
    """Of the source, when it was digested."""


class Handler(Protocol):
    """How the files of one kind are read and signed."""

    def digest(self, path: Path, algorithms: Sequence[str]) -> Digested:
        """Read the file once.

        Raises:
            TargetUnreadableError, TargetChangedError: it cannot be read, or changed meanwhile.
            ParseError, InputError: it is not of this kind, or of a form that must not be signed.
        """
        ...

    def prepared(self, digested: Digested, signature: bytes) -> Change | NewFile:
        """Return what puts `signature` to the file, instead of one that it has."""
        ...


@contextmanager
def reading(path: Path) -> Iterator[tuple[FileIO, Facts]]:
    """Open a file to be digested, and make sure that it is the same one at the end.

    Raises:
        TargetUnreadableError, TargetChangedError: as they say.
    """
    try:
        with path.open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise TargetUnreadableError(f"{path} is no regular file")
            yield file, facts_of(before)
            if facts_of(os.fstat(file.fileno())) != facts_of(before):
                raise TargetChangedError(
                    f"{path} changed while it was read", hint="sign it when whatever writes it has finished"
                )
    except OSError as exc:
        raise TargetUnreadableError(f"{path} cannot be read: {exc.strerror}") from exc
