"""Frozen values with named fields, made by keyword, as frozen dataclasses are; but quick to define.

A dataclass compiles the text of its methods whenever its module is imported, and imports `inspect`: twenty of them
take longer than a short command does its work. These share the methods of `Record`. Type checkers treat both alike.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar, dataclass_transform

R = TypeVar("R", bound="Record")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """The annotations of a subclass are its fields, and what they are set to is their default.

    `hidden` names fields that `repr` leaves out. `__post_init__` may refuse what was given.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}
    _shown: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, hidden: tuple[str, ...] = ()) -> None:
        super().__init_subclass__()
        own = tuple(name for name in cls.__annotations__ if name not in cls._fields)
        cls._fields += own
        cls._shown += tuple(name for name in own if name not in hidden)
        cls._defaults = cls._defaults | {name: vars(cls)[name] for name in own if name in vars(cls)}

    def __init__(self, **values: Any) -> None:
        made = vars(self)
        try:
            for name in self._fields:
                made[name] = values.pop(name) if name in values else self._defaults[name]
        except KeyError as exc:
            raise TypeError(f"{type(self).__name__} needs {exc}") from None
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Raise if the values do not go together."""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__qualname__}({shown})"


def replace(record: R, **changes: Any) -> R:
    """Return a copy with some fields changed, which is checked as a new one is."""
    return type(record)(**{**vars(record), **changes})


def defaults_of(kind: type[Record]) -> dict[str, Any]:
    """Return the fields that have a default, with it."""
    return dict(kind._defaults)  # noqa: SLF001 - of our own module
