"""A page that refreshes itself, where somebody asked for it: by a header, so it needs no script.

It tells how many events are new since it last came. It ends by itself: a page that is forgotten must not keep somebody signed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

SECONDS: Final = 10
TIMES: Final = 360
"""An hour."""
_LONGEST_ID = 18


@dataclass(frozen=True, kw_only=True)
class Refresh:
    new: int | None
    """So many of the events shown came since the last time; None when it begins."""
    address: str
    """The parameters of the next time; blank when it was the last."""


def read(parameters: QueryDict, shown: Sequence[int]) -> Refresh | None:
    """Return what was asked for, if anything was; `shown` are the ids of the events on the page, newest first."""
    left, seen = _number(parameters, "refresh"), _number(parameters, "seen")
    if left is None:
        return None
    following = parameters.copy()
    following["refresh"] = str(min(left, TIMES) - 1)
    following["seen"] = str(shown[0] if shown else 0)
    return Refresh(
        new=None if seen is None else sum(one > seen for one in shown),
        address=following.urlencode() if left > 0 else "",
    )


def _number(parameters: QueryDict, name: str) -> int | None:
    text = parameters.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None
