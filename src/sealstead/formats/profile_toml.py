"""Read a profile: TOML bytes to a `Profile`, and every mistake by file, line and column.

What the schema does not know is kept in the file and warned about: a key of a newer version, or a typo. The parser
judges shape only; whether a key, a proof or an address is any good is for `identity/check_profile.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sealstead.errors import ParseError
from sealstead.formats import profile_schema as schema
from sealstead.formats.toml_plain import read_plain

if TYPE_CHECKING:
    from sealstead.formats.toml_spans import Path

MAX_BYTES = 1024 * 1024
"""A profile with a thousand proofs has less."""
MAX_TOLD = 100
"""More mistakes than this help nobody, and finding the place of each takes time."""

PYPROJECT_TABLE = "tool.pypi-profile"

_PLACE = r" \(at (?:line (\d+), column (\d+)|end of document)\)$"
_BOM = "\ufeff"
_TYPES = {
    bool: "true or false",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


class ProfileError(ParseError):
    """The text is no profile. `line` and `column` count from 1; both are 0 where there is no place to name.

    `all_facts` has one line for each mistake, `message` the first of them.
    """

    code = "profile-invalid"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        line: int = 0,
        column: int = 0,
        all_facts: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column
        self.all_facts = tuple(all_facts) or (message,)


class ProfileWarning(NamedTuple):
    """Something that does no harm and is hardly meant."""

    message: str
    hint: str | None
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class _Problem(NamedTuple):
    path: Path
    fact: str
    hint: str | None = None


def parse_profile(
    data: bytes, *, table: str = "", source: str = "profile"
) -> tuple[schema.Profile, list[ProfileWarning]]:
    """Return the profile under `table` (dotted; empty is the whole document), and what looks like a mistake.

    Raises:
        ProfileError: no UTF-8, no TOML, or a value of another kind than the schema says.
    """
    text = decode(data, source=source)
    root: Any = parse_toml(text, source=source)
    prefix: Path = tuple(table.split(".")) if table else ()
    for name in prefix:
        if not isinstance(root, Mapping) or name not in root:
            raise ProfileError(f"{source}: there is no table [{table}]")
        root = root[name]
    reader = _Reader()
    if isinstance(root, Mapping):
        profile = reader.table(schema.Profile, root, prefix)
    else:
        reader.errors.append(_Problem(prefix, f"must be a table, not {_TYPES.get(type(root), 'a date')}"))
    if reader.errors:
        raise _error(reader.errors, text, source)
    return profile, list(_warnings(reader.unknown, text, source))


def decode(data: bytes, *, source: str) -> str:
    """Return the text of a TOML file.

    Raises:
        ProfileError: too large, or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise ProfileError(f"{source}: too large for a profile ({len(data)} bytes)")
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        before = data[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - (before.rfind(b"\n") + 1) + 1
        raise ProfileError(
            f"{source}:{line}:{column}: not UTF-8: the byte 0x{data[exc.start]:02x}",
            hint="save the file as UTF-8",
            line=line,
            column=column,
        ) from None


@functools.lru_cache(maxsize=1)
def parse_toml(text: str, *, source: str) -> dict[str, Any]:
    """Return what `text` says, for reading only: whoever asks again for the same text gets the same document.

    Raises:
        ProfileError: not TOML.
    """
    plain = read_plain(text.removeprefix(_BOM))
    return plain if plain is not None else _parse_any(text, source)


def _parse_any(text: str, source: str) -> dict[str, Any]:
    import tomllib

    from sealstead.formats.toml_depth import find_too_deep

    too_deep = find_too_deep(text)
    if too_deep is not None:
        from sealstead.formats.toml_spans import line_and_column

        line, column = line_and_column(text, too_deep.at)
        raise ProfileError(
            f"{source}:{line}:{column}: not TOML that is read: {too_deep.fact}", line=line, column=column
        )
    try:
        # Numbers stay text: none of ours is one, and NaN would not equal itself when an edit is checked.
        return tomllib.loads(text.removeprefix(_BOM), parse_float=str)
    except tomllib.TOMLDecodeError as exc:
        from sealstead.formats.toml_spans import line_and_column

        reason = str(exc)
        place = re.search(_PLACE, reason)
        if place is None:
            raise ProfileError(f"{source}: not TOML: {reason}") from None
        if place[1]:
            line, column = int(place[1]), int(place[2])
        else:
            line, column = line_and_column(text, len(text))
        fact = reason[: place.start()]
        raise ProfileError(
            f"{source}:{line}:{column}: not TOML: {fact[:1].lower()}{fact[1:]}",
            hint='a line is a [table], or key = "value" with text in quotes',
            line=line,
            column=column,
        ) from None
    except (RecursionError, ValueError) as exc:  # nested without end; a number of ten thousand digits
        raise ProfileError(f"{source}: not TOML that can be read: {exc}") from None


class _Reader:
    def __init__(self) -> None:
        self.errors: list[_Problem] = []
        self.unknown: list[tuple[Path, list[str]]] = []

    def table(self, kind: type[Any], found: Mapping[str, Any], path: Path) -> Any:  # noqa: ANN401 - an instance of `kind`
        known = schema.keys_of(kind)
        self.unknown += [((*path, key), list(known)) for key in found if key not in known]
        missing = schema.required_keys(kind) - set(found)
        if missing:
            self._missing(
                [key for key in known if key in missing], [key for key in found if key not in known], path
            )
        values = {
            key: self._value(expected, found[key], (*path, key))
            for key, expected in known.items()
            if key in found
        }
        return None if missing else kind(**values)

    def _missing(self, missing: list[str], unknown: list[str], path: Path) -> None:
        import difflib  # for the mistaken alone

        for key in missing:
            near = difflib.get_close_matches(key, unknown, n=1)
            hint = f"{near[0]} is unknown: did you mean {key}?" if near else None
            self.errors.append(_Problem(path, f"{key} is missing", hint))

    def _value(self, expected: str, found: Any, path: Path) -> Any:  # noqa: ANN401 - what TOML can hold
        if expected.startswith("tuple["):
            inner = expected.removeprefix("tuple[").partition(",")[0]
            if isinstance(found, list):
                return tuple(self._value(inner, each, (*path, index)) for index, each in enumerate(found))
            return self._wrong("an array of tables" if inner in schema.TABLES else "an array", found, path)
        if expected in schema.TABLES:
            if isinstance(found, dict):
                return self.table(schema.TABLES[expected], found, path)
            return self._wrong("a table", found, path)
        if expected == "bool":
            return found if isinstance(found, bool) else self._wrong("true or false", found, path)
        if not isinstance(found, str):
            return self._wrong("a string", found, path)
        choices = schema.CHOICES.get(expected)
        if choices and found not in choices:
            import difflib  # for the mistaken alone: it costs a millisecond at each start

            near = difflib.get_close_matches(found, choices, n=1)
            hint = f"did you mean {near[0]}?" if near else "one of " + ", ".join(choices)
            self.errors.append(_Problem(path, f"{found[:60]!r} is none of the known words", hint))
        return found

    def _wrong(self, wanted: str, found: object, path: Path) -> None:
        self.errors.append(_Problem(path, f"must be {wanted}, not {_TYPES.get(type(found), 'a date')}"))


def _error(problems: list[_Problem], text: str, source: str) -> ProfileError:
    from sealstead.formats.profile_places import dotted, place, scan_text

    spans = scan_text(text)
    told = [(*place(spans, text, problem.path), problem) for problem in problems[:MAX_TOLD]]
    lines = [
        f"{source}:{line}:{column}: {dotted(problem.path)}: {problem.fact}" for line, column, problem in told
    ]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ProfileError(
        lines[0] + more, hint=problems[0].hint, line=told[0][0], column=told[0][1], all_facts=lines
    )


def _warnings(unknown: list[tuple[Path, list[str]]], text: str, source: str) -> Iterator[ProfileWarning]:
    if not unknown:
        return
    import difflib

    from sealstead.formats.profile_places import dotted, place, scan_text

    spans = scan_text(text)
    for path, known in unknown[:MAX_TOLD]:
        line, column = place(spans, text, path)
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        yield ProfileWarning(f"{source}:{line}:{column}: unknown key {dotted(path)}", hint, line, column)
    if len(unknown) > MAX_TOLD:
        yield ProfileWarning(f"{source}: {len(unknown) - MAX_TOLD} more unknown keys", None, 0, 0)
