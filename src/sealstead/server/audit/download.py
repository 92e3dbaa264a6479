"""Events as files: JSON lines and CSV for programs, text for people. Streamed, so that a million of them fit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from sealstead.server.audit.models import Event
from sealstead.server.audit.names import names_of

COLUMNS = (
    *("id", "at", "tag", "accepted", "code", "actor", "account", "account_id", "credential", "project"),
    *("ip", "user_agent", "request_id", "details"),
)
_CHUNK = 500
# A spreadsheet takes a cell that begins so for a formula, and who signs in chooses what stands in some cells.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def facts_of(event: Event, names: Mapping[UUID, str], *, origin: bool = True) -> dict[str, Any]:
    """Return one event as a document; without where it came from unless `origin`."""
    return {
        "id": event.pk,
        "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "tag": event.tag,
        "accepted": event.accepted,
        "code": event.code,
        "actor": event.actor_name,
        "account": names.get(event.user_id) if event.user_id else None,
        "account_id": str(event.user_id) if event.user_id else None,
        "credential": str(event.credential_id) if event.credential_id else None,
        "project": event.project or None,
        "ip": event.ip if origin else None,
        "user_agent": event.user_agent if origin else None,
        "request_id": event.request_id if origin else None,
        "details": event.details,
    }


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """RFC 4180, with a line of headings; details are one cell of JSON."""
    yield _csv_line(COLUMNS)
    for row in rows:
        yield _csv_line([_cell(row[column]) for column in COLUMNS])


def text_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One line each: moment, outcome, tag, then what is known as `name=value`."""
    for row in rows:
        known = {name: row[name] for name in COLUMNS[4:-1] if row[name]} | row["details"]
        facts = " ".join(
            f"{name}={_word(value)}" for name, value in known.items() if value not in (None, "", [])
        )
        yield (
            f"{row['at']} {'ok     ' if row['accepted'] else 'refused'} {row['tag']} {facts}".rstrip() + "\n"
        )


FORMATS: dict[str, tuple[str, Callable[[Iterable[dict[str, Any]]], Iterator[str]]]] = {
    "txt": ("text/plain; charset=utf-8", text_lines),
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/jsonl", json_lines),
}
"""Name, which is also the suffix, to media type and writer."""


def download(
    events: QuerySet[Event], name: str, *, shows_origin: Callable[[Event], bool] = lambda _event: True
) -> StreamingHttpResponse:
    """Return all of `events` as a file of the format `name`."""
    media_type, write = FORMATS[name]
    lines = write(_rows(events, shows_origin))
    # One character that is none must not cut the file short for everybody, for ever.
    content = (line.encode("utf-8", "replace") for line in lines)
    answer = StreamingHttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="events.{name}"'
    return answer


def _rows(events: QuerySet[Event], shows_origin: Callable[[Event], bool]) -> Iterator[dict[str, Any]]:
    chunks = events.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(chunks, _CHUNK)):
        names = names_of(chunk)
        for event in chunk:
            yield facts_of(event, names, origin=shows_origin(event))


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
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
    plain = text.isprintable() and not set(text) & {" ", '"', "="}
    return text if plain else json.dumps(text, ensure_ascii=False)
