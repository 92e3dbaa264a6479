"""Change the public key, proofs and statements of a profile, and not one other byte of its text.

An edit replaces the span of one value, or adds one line; comments, order, indentation, line ends and the quotes
of what was there stay as they are. A library that writes a document anew cannot promise that: tables that stand apart
are moved together. The result is read again, and must mean what it meant before but for what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sealstead.errors import InputError
from sealstead.formats.profile_places import dotted, scan_text
from sealstead.formats.profile_toml import ProfileError, parse_toml
from sealstead.formats.toml_spans import Path, Span, Spans

_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in (*map(chr, range(32)), "\x7f")} | {
    ord(each): "\\" + letter for each, letter in zip('\\"\n\r\t\b\f', '\\"nrtbf', strict=True)
}


_NEEDS_ESCAPE = frozenset((*map(chr, range(32)), "\x7f"))


class ProfileEditError(InputError):
    """This text cannot be changed without changing more than was asked; nothing has been."""

    code = "profile-edit"


def edit_profile(
    text: str,
    *,
    table: str = "",
    public_key: str | None = None,
    proofs: Mapping[int, str] | None = None,
    statements: Sequence[str] | None = None,
    source: str = "profile",
) -> str:
    """Return `text` with these values in the profile under `table`; `proofs` by the index of their profile.

    Raises:
        ProfileError: `text` is not TOML.
        ProfileEditError: the shape of the document leaves no safe place for a value.
    """
    prefix: Path = tuple(table.split(".")) if table else ()
    wanted: dict[Path, str | list[str]] = {}
    for index, token in sorted((proofs or {}).items()):
        wanted[(*prefix, "profiles", index, "stored_proof")] = token
    if public_key is not None:
        wanted[(*prefix, "verification", "public_key")] = public_key
    if statements is not None:
        wanted[(*prefix, "verification", "statements")] = list(statements)
    expected = _copied(parse_toml(text, source=source))
    before_it = {path: _get(expected, path) for path in wanted}
    for path, value in wanted.items():
        _put(expected, path, value)
    spans = scan_text(text)
    known = {path: spans.values[path] for path in wanted if path in spans.values}
    splices = []
    for path, span in known.items():
        value, before = wanted[path], before_it[path]
        if value == before:
            continue
        more = value[len(before) :] if isinstance(before, list) and value[: len(before)] == before else None
        if before and more:  # longer by some at the end: the comments between the others stay
            last = spans.values[*path, len(before) - 1]
            splices.append((last.end, last.end, _elements(more, text, last, span)))
        else:
            splices.append((span.start, span.end, literal(value, text[span.start : span.end])))
    result = _spliced(text, splices)
    result = _add_all(result, [(path, wanted[path]) for path in wanted if path not in known])
    try:
        changed = parse_toml(result, source=source)
    except ProfileError:
        changed = {}
    if changed != expected:
        raise _unsafe(next(iter(wanted)))
    return result


def _unsafe(path: Path) -> ProfileEditError:
    return ProfileEditError(
        f"the way {dotted(path[:-1])} is written leaves no safe place for {path[-1]}",
        hint="write that key by hand once, with an empty value, and run the command again",
    )


def _put(document: Any, path: Path, value: str | list[str]) -> None:  # noqa: ANN401 - tables and arrays within each other
    for name in path[:-1]:
        if isinstance(name, str):
            document = document.setdefault(name, {})
        elif isinstance(document, list) and name < len(document):
            document = document[name]
        else:
            raise ProfileEditError(f"there is no {dotted(path[:-1])}")
        if not isinstance(document, dict | list):
            raise ProfileEditError(f"{dotted(path[:-1])} is no table")
    if not isinstance(document, dict):
        raise ProfileEditError(f"{dotted(path[:-1])} is no table")
    document[str(path[-1])] = _copied(value)


def _copied(document: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(document, dict):
        return {name: _copied(value) for name, value in document.items()}
    return [_copied(value) for value in document] if isinstance(document, list) else document


def _get(document: Any, path: Path) -> Any:  # noqa: ANN401 - as above
    try:
        for name in path:
            document = document[name]
    except (LookupError, TypeError):
        return None
    return document


def _elements(values: Sequence[str], text: str, last: Span, array: Span) -> str:
    """Return more elements for an array, each on its line if the last one is."""
    begins = text.rfind("\n", 0, last.start) + 1
    apart = begins > array.start and not text[begins : last.start].strip(" \t")
    gap = _newline(text) + text[begins : last.start] if apart else " "
    return "".join(f",{gap}{literal(value)}" for value in values)


def literal(value: str | list[str], before: str = "") -> str:
    """Return a value as TOML, in single quotes if it stood in such `before`."""
    if isinstance(value, list):
        if not value:
            return "[]"
        newline = "\r\n" if "\r\n" in before else "\n"
        return "[" + "".join(f"{newline}  {literal(each)}," for each in value) + f"{newline}]"
    if before.startswith("'") and "'" not in value and not _NEEDS_ESCAPE.intersection(value):
        return f"'{value}'"
    return f'"{value.translate(_ESCAPES)}"'


def _add_all(text: str, additions: list[tuple[Path, str | list[str]]]) -> str:
    while additions:
        spans = scan_text(text)
        splices: dict[int, tuple[int, int, str]] = {}
        later = []
        for path, value in additions:
            place = _place(text, spans, path)
            # Two values for one new table: the second finds the table that the first has made.
            if place is None or place[0] in splices:
                later.append((path, value))
            else:
                at, line = place
                splices[at] = (at, at, line.replace("\0", literal(value, _newline(text))))
        if len(later) == len(additions):
            raise _unsafe(later[0][0])
        text = _spliced(text, splices.values())
        additions = later
    return text


def _spliced(text: str, splices: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with other words from one position to another, for each of `splices`."""
    parts, done = [], 0
    for start, end, words in sorted(splices):
        parts += [text[done:start], words]
        done = end
    return "".join((*parts, text[done:]))


def _place(text: str, spans: Spans, path: Path) -> tuple[int, str] | None:
    """Return where a new key goes, and its text with NUL in place of the value."""
    parent, key = path[:-1], str(path[-1])
    if parent in spans.inline:
        return _inside(text, spans, parent, f"{key} = \0")
    if parent in spans.sections and (parent or spans.sections[parent].end):
        return _line_after(text, spans.sections[parent].end, spans.sections[parent].start, f"{key} = \0")
    siblings = [span for where, span in spans.values.items() if where[:-1] == parent]
    if siblings:  # verification.statements = … stands beside it
        last = max(siblings, key=lambda span: span.end)
        return _line_after(text, last.end, last.key, f"{text[last.key : last.last]}{key} = \0")
    if parent[:-1] in spans.inline:
        return _inside(text, spans, parent[:-1], f"{parent[-1]} = {{ {key} = \0 }}")
    if any(isinstance(name, int) for name in parent):
        return None
    newline = _newline(text)
    gap = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
    header = ".".join(str(name) for name in parent)
    return len(text), f"{gap}[{header}]{newline}{key} = \0{newline}"


def _inside(text: str, spans: Spans, table: Path, pair: str) -> tuple[int, str]:
    """Add to an inline table, after its last value."""
    outer = spans.values[table]
    inner = [
        span.end for where, span in spans.values.items() if where[: len(table)] == table and where != table
    ]
    if inner:
        return max(inner), f", {pair}"
    return outer.start + 1, f" {pair}" + ("" if text[outer.start + 1] in " \t" else " ")


def _line_after(text: str, end: int, model: int, line: str) -> tuple[int, str]:
    """Add a line after the one in which `end` is, indented as the line in which `model` is."""
    begins = text.rfind("\n", 0, max(model, 0)) + 1
    last_line = text.rfind("\n", 0, end) + 1
    indented = text[last_line:end] if not text[last_line:end].lstrip().startswith("[") else text[begins:model]
    indent = indented[: len(indented) - len(indented.lstrip(" \t"))]
    newline = text.find("\n", end)
    if newline < 0:
        return len(text), f"{_newline(text)}{indent}{line}"
    ending = "\r\n" if text[newline - 1] == "\r" else "\n"
    return newline + 1, f"{indent}{line}{ending}"


def _newline(text: str) -> str:
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"
