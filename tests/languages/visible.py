"""What a reader or a screen reader is told by a page, without what is data or code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

_SILENT = {"script", "style", "code", "pre", "kbd", "samp", "bdi", "time", "data", "svg"}
_VOID = {"meta", "link", "input", "br", "img", "hr", "wbr", "source", "col", "area"}
_SPOKEN = (
    "aria-label",
    "placeholder",
    "title",
    "alt",
    "data-label",
    "data-copy",
    "data-copied",
    "data-copy-label",
)
_ASCII_WORD = re.compile(r"[A-Za-z]{2,}")


class _Visible(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def _silent(self) -> bool:
        return any(silent for _, silent in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        silent = tag in _SILENT or values.get("translate") == "no"
        if not self._silent() and not silent:
            self.texts += [values[name] for name in _SPOKEN if values.get(name)]
            if tag == "input" and values.get("type") in {"submit", "button", "reset"}:
                self.texts.append(values.get("value", ""))
        if tag not in _VOID:
            self._open.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._silent():
            self.texts.append(data)


def untranslated(page: str, data: Iterable[str]) -> list[str]:
    """Return the texts of a pseudo-locale's page that hold ASCII words, after taking out the known `data`.

    Data shows itself by its element (`<code>`, `<bdi>`, `<time>`, `translate="no"`), or is named by the caller.
    """
    known = sorted({item for item in data if item}, key=len, reverse=True)
    found = []
    for text in _Visible(page).texts:
        rest = text
        for item in known:
            rest = rest.replace(item, "")
        if _ASCII_WORD.search(rest):
            found.append(" ".join(text.split()))
    return found
