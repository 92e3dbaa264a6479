"""What stands in an answer, at the places where only a page's owner writes. Pure: bytes and values in, texts out.

Everything here reads what strangers wrote, so each step is linear in its length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sealstead.errors import ParseError

_TAG = re.compile(r"<[^<>]*>")
_LINK = re.compile(r"<(?:a|link|area)\s([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
"""What sites put into long words so that they wrap."""

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
        return json.loads(data)
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
    import html  # its table of names is long, and most proofs stand in plain text

    if "<" in text or "&" in text or _INVISIBLE.search(text):
        # A tag may stand within a long word, for it to wrap there; or between words.
        for gap in ("", " "):
            yield _INVISIBLE.sub("", html.unescape(_TAG.sub(gap, text)))


def me_links(page: str) -> frozenset[str]:
    """Return where links with rel=me lead, from the tags of a page; comments and scripts hold no tags."""
    from html import unescape

    found = set()
    for match in _LINK.finditer(
        _without(_without(_without(page, "<!--", "-->"), "<script", "</script"), "<style", "</style")
    ):
        attributes = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(match[1])}
        if "me" in attributes.get("rel", "").lower().split():
            found.add(unescape(attributes.get("href", "")).strip())
    return frozenset(found - {""})


def _step(value: Any, step: str) -> list[Any]:  # noqa: ANN401
    if step == "*":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return [value[int(step)]]
    return []


def _without(page: str, begin: str, end: str) -> str:
    """Return `page` without what stands from each `begin` to the next `end`, or to the end of the page."""
    lowered = page.lower()
    if len(lowered) != len(page):  # a few letters change their length; then positions would not agree
        page = lowered
    parts: list[str] = []
    at = 0
    while (start := lowered.find(begin, at)) >= 0:
        parts.append(page[at:start])
        stop = lowered.find(end, start + len(begin))
        if stop < 0:
            return "".join(parts)
        at = stop + len(end)
    parts.append(page[at:])
    return "".join(parts)
