"""Caveats as bytes: UTF-8 JSON, an array `[tag, field...]`, or an object of the reference index's first years.

Refused beside what JSON refuses: a key that appears twice (readers disagree on which one counts), an unknown tag,
and an object with other keys than those of its kind, where the reference would drop a restriction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sealstead.formats.caveats import (
    Caveat,
    CopyId,
    Expiration,
    MalformedCaveatError,
    ProjectIds,
    ProjectNames,
    Publisher,
    RequestUser,
)

CAVEATS: Mapping[int, type[Caveat]] = {
    cls.tag: cls for cls in (Expiration, ProjectNames, ProjectIds, RequestUser, Publisher, CopyId)
}


def parse_caveat(data: bytes, *, token_owner: str) -> Caveat:
    """Return the caveat in these bytes. `token_owner` is who the legacy permission `user` stands for.

    Raises:
        MalformedCaveatError: not understood, with the reference's text.
    """
    value = _decode(data)
    if type(value) is dict:
        value = _from_legacy(value, token_owner)
    if type(value) is not list:
        raise MalformedCaveatError("caveat must be an array")
    if not value:
        raise MalformedCaveatError("caveat array cannot be empty")
    tag, *fields = value
    # A bool or a float equals an int as a key of the table.
    cls = CAVEATS.get(tag) if type(tag) is int else None
    if cls is None:
        shown = str(tag)[:_MAX_SHOWN] if type(tag) is int else f"a {type(tag).__name__}"
        raise MalformedCaveatError(f"caveat has unknown tag: {shown}")
    return cls.from_fields(fields)


def serialize_caveat(*value: object) -> bytes:
    """Return the compact JSON of `[tag, field, ...]`, as the reference writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _decode(data: bytes) -> object:
    """Return the JSON value. What `JSONDecoder.decode` does, without its search for blanks, in half its time."""
    try:
        text = data.decode().strip(_JSON_BLANKS)
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise _not_json() from None
    if end != len(text):
        raise _not_json()
    return value


def _not_json() -> MalformedCaveatError:
    return MalformedCaveatError("unknown error", hint="the caveat is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
_JSON_BLANKS = " \t\r\n"
_MAX_SHOWN = 40


def _from_legacy(value: dict[str, Any], token_owner: str) -> list[Any] | None:
    keys = value.keys()
    if keys == {"version", "permissions"} and type(value["version"]) is int and value["version"] == 1:
        permissions = value["permissions"]
        if permissions == "user":
            return [RequestUser.tag, token_owner]
        if type(permissions) is dict and permissions.keys() == {"projects"}:
            return [ProjectNames.tag, permissions["projects"]]
    if keys == {"exp", "nbf"}:
        return [Expiration.tag, value["exp"], value["nbf"]]
    if keys == {"project_ids"}:
        return [ProjectIds.tag, value["project_ids"]]
    return None
