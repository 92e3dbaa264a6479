"""Refuse TOML that is nested as nobody writes it, before anything parses it.

`tomllib` takes time by the square of the parts of a dotted key, and stack by the depth of arrays: forty kilobytes of
`a.a.a` in a stranger's profile would hold a reader for minutes. This looks at tokens only, once from the left to the
right, and takes any text: what is no TOML is for the parser to say.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_PARTS = 32
MAX_DEPTH = 64

# A string that is not closed ends with the line, or with the text: no place is looked at twice for want of an end.
_STRING = (
    r'"""(?:[^"\\]++|\\[\s\S]|"{1,2}+(?!"))*+(?:"{3,5}+)?'
    r"|'''(?:[^']++|'{1,2}+(?!'))*+(?:'{3,5}+)?"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
)
_TOKEN = re.compile(
    rf"#[^\n]*+|(?:[A-Za-z0-9_-]++|{_STRING})[ \t]*+(?P<dot>\.?)[ \t]*+|(?P<open>[\[{{])|(?P<close>[\]}}])"
)


class TooDeep(NamedTuple):
    at: int
    fact: str


def find_too_deep(text: str) -> TooDeep | None:
    """Return the first place that is nested too deep, if there is one."""
    depth = parts = first = 0
    after_dot = -1
    for match in _TOKEN.finditer(text):
        match match.lastgroup:
            case "dot":
                start = match.start()
                parts, first = (parts + 1, first) if start == after_dot else (1, start)
                if parts > MAX_PARTS:
                    return TooDeep(first, f"a key of more than {MAX_PARTS} parts")
                after_dot = match.end() if match["dot"] else -1
            case "open":
                depth += 1
                if depth > MAX_DEPTH:
                    return TooDeep(match.start(), f"nested more than {MAX_DEPTH} deep")
            case "close":
                depth = max(depth - 1, 0)
    return None
