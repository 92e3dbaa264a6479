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
_PART = rf"(?:[A-Za-z0-9_-]++|{_STRING})"
_DOT = r"[ \t]*+\.[ \t]*+"
_TOKEN = re.compile(
    rf"#[^\n]*+|(?P<long>{_PART}(?:{_DOT}{_PART}){{{MAX_PARTS}}})|{_PART}(?:{_DOT}{_PART})*+|(?P<open>[\[{{])|(?P<close>[\]}}])"
)


class TooDeep(NamedTuple):
    at: int
    fact: str


def find_too_deep(text: str) -> TooDeep | None:
    """Return the first place that is nested too deep, if there is one."""
    depth = 0
    for match in _TOKEN.finditer(text):
        match match.lastgroup:
            case "long":
                return TooDeep(match.start(), f"a key of more than {MAX_PARTS} parts")
            case "open":
                depth += 1
                if depth > MAX_DEPTH:
                    return TooDeep(match.start(), f"nested more than {MAX_DEPTH} deep")
            case "close":
                depth = max(depth - 1, 0)
    return None
