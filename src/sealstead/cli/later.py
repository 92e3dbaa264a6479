"""Modules that what we import imports, and that a short command hardly uses.

`click` imports `inspect`, and that the parser of Python: a tenth of the time of a short command, for one function that
takes blanks away. It asks `gettext` for a translation of each of its words, which looks for files in four places each
time, and our words are English: here they stay as they are. `uuid`, which `click` only names, imports `platform`, to ask which system this is; `pathlib` imports what knows addresses.
`put_off` lets a stand-in take the place of such a module. Whoever asks it for more than it has gets that
from the real module, which is imported then.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from types import ModuleType

_LOCK = threading.Lock()


class _NoUUID:
    """What `click` names `uuid.UUID` while it is imported, for a kind of parameter that none of ours is."""


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name == "__path__":  # by which `from ... import` asks each module whether it is a package
            raise AttributeError(name)
        if name == "UUID" and _is_at_the_import_of("click.types"):
            return _NoUUID
        with _LOCK:  # of two threads that ask at once, one makes room for the real module
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def put_off() -> None:
    """Let these modules be imported when they are used; what is imported already stays.

    To be called before anything that imports them.
    """
    own: dict[str, dict[str, object]] = {
        "gettext": {"gettext": _same, "ngettext": _number},
        "inspect": {"cleandoc": cleandoc},
        "ipaddress": {},
        "uuid": {},
    }
    if sys.platform == "linux":
        own["platform"] = {"system": lambda: "Linux"}
    for name, found in own.items():
        stand_in = _StandIn(name)
        vars(stand_in).update(found)
        sys.modules.setdefault(name, stand_in)


def _is_at_the_import_of(module: str) -> bool:
    asking = sys._getframe(2)  # noqa: SLF001 - there is no public one; above this one and __getattr__
    return asking.f_code.co_name == "<module>" and asking.f_globals.get("__name__") == module


def _same(message: str) -> str:
    return message


def _number(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def cleandoc(text: str) -> str:
    """Do what `inspect.cleandoc` does; click calls it for every option."""
    first, *lines = text.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.lstrip()), default=0)
    return "\n".join([first.lstrip(), *(line[margin:] for line in lines)]).strip("\n")
