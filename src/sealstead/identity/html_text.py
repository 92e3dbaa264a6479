"""A page as its reader sees it: without tags, references and what is invisible. Linear in its length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TAG = re.compile(r"<[^<>]*>")
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{9,}|[xX][0-9a-fA-F]{9,});?")
"""No character has such a number, and numbers of thousands of digits are refused by Python itself."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
"""What sites put into long words so that they wrap."""


def shown(text: str) -> Iterator[str]:
    """Yield what a reader sees, each way there is; nothing where that is the text itself."""
    if "<" in text or "&" in text or _INVISIBLE.search(text):
        # A tag may stand within a long word, for it to wrap there; or between words.
        for gap in ("", " "):
            yield _INVISIBLE.sub("", html.unescape(_LONG_REFERENCE.sub("", _TAG.sub(gap, text))))
