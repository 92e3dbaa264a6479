"""Where in the text of a profile something stands, by the names that people read: `profiles[2].url` is the second entry.

Imported only for what is edited, or told of.
"""

from __future__ import annotations

from collections.abc import Iterable

from sealstead.formats.toml_spans import Path, Spans, line_and_column, scan

_BOM = "\ufeff"


def scan_text(text: str) -> Spans:
    """Scan a text that may begin with a byte order mark, which counts as a character of the first line."""
    return scan(" " + text[1:] if text.startswith(_BOM) else text)


def place(spans: Spans, text: str, path: Path) -> tuple[int, int]:
    """Return the line and column of a value, or of what holds it."""
    while path:
        if path in spans.values:
            return line_and_column(text, spans.values[path].key)
        starts = [section.start for where, section in spans.sections.items() if where[: len(path)] == path]
        starts += [span.key for where, span in spans.values.items() if where[: len(path)] == path]
        if starts:
            return line_and_column(text, min(starts))
        path = path[:-1]
    return 1, 1


def places_of(text: str, names: Iterable[str], *, table: str = "") -> dict[str, tuple[int, int]]:
    """Return the line and column of each that `dotted` calls so below `table`, or of what holds it, where there is one.

    `text` is one that `parse_profile` has read.
    """
    spans = scan_text(text)
    prefix: Path = tuple(table.split(".")) if table else ()
    there = {path[: len(prefix) + 1] for path in (*spans.values, *spans.sections)}
    found = {}
    for name in names:
        path = (*prefix, *_path(name))
        if path[: len(prefix) + 1] in there:
            found[name] = place(spans, text, path)
    return found


def _path(name: str) -> Path:
    parts: list[str | int] = []
    for part in name.split("."):
        key, _, number = part.partition("[")
        parts.append(key)
        if number:
            parts.append(int(number.removesuffix("]")) - 1)
    return tuple(parts)


def dotted(path: Path) -> str:
    """Return a path as people read it: `profiles[2].url` is the second entry."""
    text = ""
    for name in path:
        text += f"[{name + 1}]" if isinstance(name, int) else f".{name}" if text else name
    return text or "the file"
