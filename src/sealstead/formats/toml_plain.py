"""Read TOML in which every value is a plain string, an array of such, or a truth value: what nearly all profiles are.

`tomllib` takes up each character by itself, which is ten milliseconds for two hundred proofs; one expression for a line
takes one. It knows no more of TOML than this, and says so: then `tomllib` reads the text, and tells of mistakes.
"""

from __future__ import annotations

import re
from typing import Any

_STRING = r'"[^"\\\x00-\x1f\x7f]*+"'
_LINE = re.compile(
    r"[ \t]*+(?:"
    rf"(?P<key>[A-Za-z0-9_-]++)[ \t]*+=[ \t]*+(?:(?P<text>{_STRING})|(?P<truth>true|false)"
    rf"|(?P<texts>\[(?:[ \t\n]*+{_STRING}[ \t\n]*+,)*+[ \t\n]*+(?:{_STRING}[ \t\n]*+)?+\]))"
    r"|\[\[(?P<array>[A-Za-z0-9_-]++)\]\]"
    r"|\[(?P<table>[A-Za-z0-9_-]++)\]"
    r")?+[ \t]*+(?:#[^\x00-\x08\x0a-\x1f\x7f]*+)?+(?:\n|\Z)"
)
_TEXTS = re.compile(r'"([^"]*+)"')


def read_plain(text: str) -> dict[str, Any] | None:
    """Return what `tomllib.loads` would; None where the text holds anything else, or a mistake."""
    text = text.replace("\r\n", "\n")
    root: dict[str, Any] = {}
    arrays: dict[str, list[dict[str, Any]]] = {}
    table = root
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None:
            return None
        at = line.end()
        key, string, truth, strings, array, name = line.groups()
        if key is not None:
            if key in table:
                return None
            table[key] = (
                string[1:-1]
                if string is not None
                else truth == "true"
                if truth is not None
                else _TEXTS.findall(strings)
            )
        elif array is not None:
            if array not in arrays:
                if array in root:
                    return None
                root[array] = arrays[array] = []
            table = {}
            arrays[array].append(table)
        elif name is not None:
            if name in root:
                return None
            table = root[name] = {}
    return root
