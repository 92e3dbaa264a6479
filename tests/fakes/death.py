"""A process that dies between two system calls, without a process: from the chosen call on, every change fails.

What dies is `Killed`, which no handler for errors catches; handlers for everything find that the dead change nothing.
The real thing, with real processes and more kinds of faults, is tests/crash.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

_CHANGES = ("open", "replace", "rename", "link", "unlink", "mkdir", "fsync", "fchmod")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killed(BaseException):
    """Not an Exception: nobody survives it."""


@contextlib.contextmanager
def dies_at(number: int) -> Iterator[list[str]]:
    """Die instead of making the change `number`, counted from 0. Yields the names of the changes that were made."""
    made: list[str] = []

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if name == "open" and not (args[1] if len(args) > 1 else more.get("flags", 0)) & _WRITES:
                return real(*args, **more)
            if len(made) >= number:
                raise Killed(name)
            made.append(name)
            return real(*args, **more)

        return call

    with contextlib.ExitStack() as patches:
        for name in _CHANGES:
            patches.enter_context(mock.patch.object(os, name, guarded(name, getattr(os, name))))
        yield made
