"""Where each key and value of a TOML document stands in its text (TOML 1.0).

`tomllib` says what a document means, not where; this says where, not what. It reads only text that `tomllib` has
accepted, so it knows the boundaries of tokens and no rules. An edit replaces one span and leaves every other byte.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys from the root; a number picks an element of an array, of tables too."""

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_INLINE_BLANK = re.compile(r"[ \t]*+")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"{3,5}+'
    r"|'''(?:[^']++|'{1,2}+(?!'))*+'{3,5}+"
    r'|"(?:[^"\\]++|\\.)*+"'
    r"|'[^']*+'",
    re.DOTALL,
)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d[^\s,\]}#]*+|[^\s,\]}#]++")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]++")


class Span(NamedTuple):
    """`key`: where the key begins; `last`: where its last dotted part does; `start` to `end`: the value."""

    key: int
    last: int
    start: int
    end: int


class Section(NamedTuple):
    """`[table]` or one element of `[[tables]]`: where its header begins, and where its last line (own keys) ends."""

    path: Path
    start: int
    end: int


class Spans(NamedTuple):
    values: dict[Path, Span]
    sections: dict[Path, Section]
    """The root is `()`; its `start` and `end` are 0 while it has no key of its own."""
    inline: set[Path]
    """Inline tables, which are closed: their keys stand inside them."""


def scan(text: str) -> Spans:
    """Return the spans of a document that `tomllib` reads."""
    return _Scanner(text).document()


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Return both as editors count them, from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.values: dict[Path, Span] = {}
        self.sections: dict[Path, Section] = {(): Section((), 0, 0)}
        self.inline: set[Path] = set()
        self.arrays: dict[Path, int] = {}

    def document(self) -> Spans:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            start = self.at
            if self.text.startswith("[", start):
                table = self._header()
                self.sections[table] = Section(table, start, self.at)
            else:
                self._pair(table)
                section = self.sections[table]
                first = start if table == () and section.end == 0 else section.start
                self.sections[table] = Section(table, first, self.at)
        return Spans(self.values, self.sections, self.inline)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        names, _ = self._key()
        self.at += 2 if many else 1
        path: Path = (*self._resolve(names[:-1]), names[-1])
        if not many:
            return path
        self.arrays[path] = self.arrays.get(path, -1) + 1
        return (*path, self.arrays[path])

    def _resolve(self, path: Path) -> Path:
        """Enter the newest element of every array of tables on the way."""
        found: Path = ()
        for name in path:
            found = (*found, name)
            if found in self.arrays:
                found = (*found, self.arrays[found])
        return found

    def _key(self) -> tuple[tuple[str, ...], int]:
        names = []
        while True:
            self._skip(_INLINE_BLANK)
            last = self.at
            bare = _BARE_KEY.match(self.text, self.at)
            if bare:
                names.append(bare[0])
                self.at = bare.end()
            else:
                self._skip(_STRING)
                import tomllib  # few keys are written in quotes

                names.append(next(iter(tomllib.loads(f"{self.text[last : self.at]} = 0"))))
            self._skip(_INLINE_BLANK)
            if not self.text.startswith(".", self.at):
                return tuple(names), last
            self.at += 1

    def _pair(self, table: Path) -> None:
        key = self.at
        names, last = self._key()
        self.at += 1  # the equals sign
        self._skip(_INLINE_BLANK)
        path = (*table, *names)
        start = self.at
        self._value(path)
        self.values[path] = Span(key, last, start, self.at)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _elements(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            start = self.at
            self._value((*path, index))
            self.values[(*path, index)] = Span(start, start, start, self.at)
            index += 1
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.inline.add(path)
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1
