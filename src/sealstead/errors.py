"""The root of every error this product raises.

    SealsteadError
    ├── InputError            what the caller gave is not acceptable
    ├── ParseError            bytes or text are not of this format
    ├── VerificationError     well-formed, but not trustworthy
    ├── DeniedError           known, but not allowed
    ├── NotFoundError         no such thing, or not the caller's to see
    ├── ConflictError         the state changed, or somebody else was first
    ├── ExpiredError          was good, its time is over or has not begun
    ├── KeyUnavailableError   a key or credential cannot be reached
    └── UpstreamError         somebody else's service failed

A family says what the receiver can do. Concrete classes live beside the code that raises
them and carry a stable kebab-case `code`. Domain code knows no HTTP status and no exit
code: `server/problem.py` and `cli/main.py` hold one table each.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes milliseconds at each start, and nothing here needs it to run
if TYPE_CHECKING:
    from typing import ClassVar


class SealsteadError(Exception):
    """An expected failure: a fact for the reader, and where possible the next step.

    `message` names the fact, without capital or full stop, and never holds a secret.
    `hint` names the next step. `code` is stable across versions. `facts`, where there are any, are for programs:
    ready for JSON, and no secret among them.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts: dict[str, object] = {}


class InputError(SealsteadError):
    code = "input"


class ParseError(SealsteadError):
    code = "parse"


class VerificationError(SealsteadError):
    code = "verification"


class DeniedError(SealsteadError):
    code = "denied"


class NotFoundError(SealsteadError):
    code = "not-found"


class ConflictError(SealsteadError):
    code = "conflict"


class ExpiredError(SealsteadError):
    code = "expired"


class KeyUnavailableError(SealsteadError):
    code = "key-unavailable"


class UpstreamError(SealsteadError):
    code = "upstream"
