"""Write a profile as TOML that a person goes on editing; `profile_edit` is for files that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sealstead.formats import profile_schema as schema
from sealstead.formats.profile_edit import literal
from sealstead.record import Record, defaults_of


def serialize_profile(
    profile: schema.Profile,
    *,
    head: Sequence[str] = (),
    notes: Mapping[str, Sequence[str]] | None = None,
    always: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return the TOML of a profile: what it says, and of a table named in `always` these keys too, even if empty.

    `head` are comment lines at the top; `notes` comment lines by table, before it, or where it would be.
    """
    notes, always = notes or {}, always or {}
    blocks = ["".join(f"# {line}\n" if line else "#\n" for line in head)] if head else []
    for key in schema.keys_of(schema.Profile):
        comment = "".join(f"# {line}\n" if line else "#\n" for line in notes.get(key, ()))
        written = _block(key, getattr(profile, key), always.get(key, ()))
        if comment and written:
            written[0] = comment + written[0]
        elif comment:
            written = [comment]
        blocks += written
    return "\n".join(blocks)


def _block(name: str, value: Any, always: Sequence[str]) -> list[str]:  # noqa: ANN401 - a table, or tables of a kind
    if isinstance(value, Record):
        return _table(f"[{name}]", name, value, always)
    return [text for row in value for text in _table(f"[[{name}]]", name, row, ())]


def _table(header: str, name: str, row: Record, always: Sequence[str]) -> list[str]:
    needed = schema.required_keys(type(row)) | set(always)
    defaults = defaults_of(type(row))
    lines, inner = [], []
    for key, value in vars(row).items():
        if isinstance(value, tuple) and value and isinstance(value[0], Record):
            inner += _block(f"{name}.{key}", value, ())
        elif key in needed or value != defaults.get(key):
            lines.append(f"{key} = {_value(value)}\n")
    if not lines and not inner:
        return []
    return [header + "\n" + "".join(lines), *inner] if lines else inner


def _value(value: Any) -> str:  # noqa: ANN401 - what a key holds
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    return literal(value)
