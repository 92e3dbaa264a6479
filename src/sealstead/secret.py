"""Values that must not be shown: redacted in `repr`, `str`, format and pickles."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T", bound="str | bytes")


class Secret(Generic[T]):
    """Clear text in memory. Only `reveal()` gives it, so that every use can be searched for."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
