"""Events as files: JSON lines and CSV for programs, text for people. Streamed, so that a million of them fit.

To compose models and values of Python's own types takes longer than all the rest: columns are taken as texts, as the
database holds them, and put together. A test compares the bytes with those made of models.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from json.encoder import encode_basestring
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import CharField, IntegerField, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import StreamingHttpResponse

from sealstead.server.audit.models import Event

COLUMNS = (
    *("id", "at", "tag", "accepted", "code", "actor", "account", "account_id", "credential", "project"),
    *("ip", "user_agent", "request_id", "details"),
)
_AT, _ACCEPTED, _DETAILS = COLUMNS.index("at"), COLUMNS.index("accepted"), COLUMNS.index("details")
_CHUNK = 1000
_MOST_NAMES = 10_000
# A spreadsheet takes a cell that begins so for a formula, and who signs in chooses what stands in some cells.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[Any]
"""One event, in the order of `COLUMNS`: texts, but `id` a number and `accepted` a truth; None where there is nothing. The
details are JSON, without escapes that need not be."""

_TEXTS: Final = {
    "text_at": Cast("at", CharField()),
    "text_accepted": Cast("accepted", IntegerField()),
    "text_actor": Cast("actor_id", CharField()),
    "text_account": Cast("user_id", CharField()),
    "text_credential": Cast("credential_id", CharField()),
    "text_details": Cast("details", TextField()),
}
_FIELDS: Final = (
    *("id", "text_at", "tag", "text_accepted", "code", "actor_name", "text_actor", "text_account"),
    *("text_credential", "project", "ip", "user_agent", "request_id", "text_details"),
)


def json_lines(rows: Sequence[Row]) -> str:
    return "".join(map(_json_line, rows))


def csv_lines(rows: Sequence[Row]) -> str:
    """RFC 4180; details are one cell of JSON."""
    lines = io.StringIO()
    csv.writer(lines).writerows(
        [*[_cell(value) for value in row[:_DETAILS]], "" if row[_DETAILS] == "{}" else row[_DETAILS]]
        for row in rows
    )
    return lines.getvalue()


def text_lines(rows: Sequence[Row]) -> str:
    """One line each: moment, outcome, tag, then what is known as `name=value`."""
    return "".join(map(_text_line, rows))


FORMATS: dict[str, tuple[str, Callable[[Sequence[Row]], str], str]] = {
    "txt": ("text/plain; charset=utf-8", text_lines, ""),
    "csv": ("text/csv; charset=utf-8", csv_lines, ",".join(COLUMNS) + "\r\n"),
    "jsonl": ("application/jsonl", json_lines, ""),
}
"""Name, which is also the suffix, to media type, writer, and what stands in front."""


def download(events: QuerySet[Event], name: str, *, reader: UUID | None = None) -> StreamingHttpResponse:
    """Return all of `events` as a file of the format `name`.

    With a `reader` it is told where they and unknown visitors came from, not where others did.
    """
    media_type, write, head = FORMATS[name]

    def content() -> Iterator[bytes]:
        if head:
            yield head.encode()
        for rows in _rows(events, reader):
            # One character that is none must not cut the file short for everybody, for ever.
            yield write(rows).encode("utf-8", "replace")

    answer = StreamingHttpResponse(content(), content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="events.{name}"'
    return answer


def _rows(events: QuerySet[Event], reader: UUID | None) -> Iterator[list[Row]]:
    values = events.annotate(**_TEXTS).values_list(*_FIELDS).iterator(chunk_size=_CHUNK)
    names: dict[str | None, str | None] = {None: None}
    own = {None, *((reader.hex, str(reader)) if reader else ())}
    while chunk := list(islice(values, _CHUNK)):
        _learn({one[7] for one in chunk}, names)
        yield [
            (
                *(one_id, _moment(at), tag, accepted != 0, code, actor_name, names[account]),
                *(_dashed(account), _dashed(credential), project or None),
                *((ip, agent, request) if reader is None or actor in own else (None, None, None)),
                _document(details),
            )
            for one_id, at, tag, accepted, code, actor_name, actor, account, credential, project, ip, agent, request, details in chunk
        ]


def _learn(accounts: set[str | None], names: dict[str | None, str | None]) -> None:
    """Look up whose accounts these are, as long as they exist."""
    wanted = accounts - names.keys()
    if len(names) > _MOST_NAMES:
        names.clear()
        names[None], wanted = None, accounts - {None}
    if wanted:
        ids = {UUID(text): text for text in wanted if text is not None}
        names.update(dict.fromkeys(wanted))
        found = get_user_model().objects.filter(pk__in=ids).values_list("pk", "username")
        names.update((ids[pk], name) for pk, name in found)


def _moment(text: str) -> str:
    """Return RFC 3339 of `2026-11-21 20:54:46.25`, which PostgreSQL ends with `+00`."""
    day, _, time = text.removesuffix("+00").partition(" ")
    whole, _, part = time.partition(".")
    return f"{day}T{whole}.{part:0<6}Z" if part else f"{day}T{whole}Z"


def _dashed(identifier: str | None) -> str | None:
    """Return the usual form of a UUID; SQLite keeps it as digits alone."""
    if not identifier or "-" in identifier:
        return identifier or None
    return f"{identifier[:8]}-{identifier[8:12]}-{identifier[12:16]}-{identifier[16:20]}-{identifier[20:]}"


def _document(text: str) -> str:
    """Return JSON on one line in its author's letters: SQLite keeps it in ASCII. What has no escape can stay as it is."""
    return (
        text if "\\u" not in text and "\n" not in text else json.dumps(json.loads(text), ensure_ascii=False)
    )


def _json_line(row: Row) -> str:
    values = ", ".join(
        f'"{name}": {_JSON[type(value)](value)}' for name, value in zip(COLUMNS, row[:_DETAILS], strict=False)
    )
    return f'{{{values}, "details": {row[_DETAILS]}}}\n'


_JSON: Final[dict[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _value: "null",
}


def _text_line(row: Row) -> str:
    known = {name: row[4 + at] for at, name in enumerate(COLUMNS[4:_DETAILS]) if row[4 + at]}
    known |= json.loads(row[_DETAILS])
    facts = " ".join(
        [f"{name}={_word(value)}" for name, value in known.items() if value not in (None, "", [])]
    )
    return f"{row[_AT]} {'ok     ' if row[_ACCEPTED] else 'refused'} {row[2]} {facts}".rstrip() + "\n"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _word(value: object) -> str:
    """Return a value as one word: quoted where a blank or a line break would start another."""
    if isinstance(value, list):
        # Files, each with its facts.
        value = "; ".join(
            " ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in value
        )
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    plain = text.isprintable() and " " not in text and '"' not in text and "=" not in text
    return text if plain else json.dumps(text, ensure_ascii=False)
