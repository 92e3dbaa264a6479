"""What stands in an answer, at the places where only a page's owner writes. Pure: bytes and values in, texts out.

Everything here reads what strangers wrote, so each step is linear in its length.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from sealstead.errors import ParseError

_MOST_VALUES = 1000


class NotJsonError(ParseError):
    """An answer that should be JSON is none: an error page, or somebody else's."""

    code = "not-json"


def parse_json(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Return the value.

    Raises:
        NotJsonError: it is none, or too deep.
    """
    try:
        return json.loads(data, parse_float=_finite, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as exc:
        raise NotJsonError("the answer is not JSON") from exc


def values_at(value: Any, path: str) -> list[Any]:  # noqa: ANN401
    """Return what is at `path`: names and numbers between slashes, `*` for each entry of a list or table."""
    found = [value]
    for step in path.split("/"):
        found = [inner for outer in found for inner in _step(outer, step)][:_MOST_VALUES]
    return found


def texts_at(value: Any, paths: Sequence[str]) -> list[str]:  # noqa: ANN401
    """Return the texts at any of `paths`."""
    return [found for path in paths for found in values_at(value, path) if isinstance(found, str)]


def readings(text: str) -> Iterator[str]:
    """Yield a text as it is; then, where it is HTML, as a reader sees it."""
    yield text
    from sealstead.identity.html_text import shown  # most proofs stand in plain text

    yield from shown(text)


def _finite(text: str) -> float | None:
    """Return the number; None for one that is too large, as JSON could not say it again."""
    number = float(text)
    return number if math.isfinite(number) else None


def _step(value: Any, step: str) -> list[Any]:  # noqa: ANN401
    if step == "*":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return [value[int(step)]]
    return []
