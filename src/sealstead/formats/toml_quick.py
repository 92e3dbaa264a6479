"""What `tomllib.loads` returns, sooner where long plain strings stand in the text, as the proofs of a profile do.

`tomllib` takes up each character of a string by itself. So each long plain string is replaced by a short one before it
reads, and put back afterwards, wherever it then stands: in a value, within a longer string, or nowhere at all when it
was in a comment. In the three cases in which that could change what the text means, the text is read as it stands:

  * it holds the mark of the short strings itself, however it is written;
  * it is no TOML then: what stood between two strings was taken for one (or it never was; the parser says where);
  * the mark is in a key, for two spellings of one key could pass for two.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

_MARK = "\ufdd0"
"""No character, and never one (Unicode, section 23.7); TOML allows it in strings and comments only."""
_MARK_WRITTEN = "fdd0"
_LONG = re.compile(r'"([A-Za-z0-9:_+/=. -]{40,})"')
_SHORT = re.compile(rf"{_MARK}([0-9]+);")


class _MarkInKeyError(Exception):
    pass


def loads(text: str) -> dict[str, Any]:
    """Return the document. Numbers with a fraction stay text.

    Raises:
        tomllib.TOMLDecodeError, RecursionError, ValueError: as `tomllib.loads`.
    """
    if _MARK not in text and _MARK_WRITTEN not in text.lower():
        numbers: dict[str, int] = {}
        short = _LONG.sub(lambda found: f'"{_MARK}{numbers.setdefault(found[1], len(numbers))};"', text)
        if numbers:
            try:
                document: dict[str, Any] = _put_back(_parsed(short), list(numbers))
            except (tomllib.TOMLDecodeError, _MarkInKeyError):
                pass
            else:
                return document
    return _parsed(text)


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=str)


def _put_back(value: Any, words: list[str]) -> Any:  # noqa: ANN401 - what TOML can hold
    if isinstance(value, str):
        return _SHORT.sub(lambda found: words[int(found[1])], value) if _MARK in value else value
    if isinstance(value, list):
        return [_put_back(each, words) for each in value]
    if not isinstance(value, dict):
        return value
    if any(_MARK in key for key in value):
        raise _MarkInKeyError
    return {key: _put_back(each, words) for key, each in value.items()}
