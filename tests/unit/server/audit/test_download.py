"""The quick download against a plain one: the same bytes for every event, out of models and the standard library."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from tests.rows import make_user

from sealstead.server.audit import download as quick
from sealstead.server.audit.download import COLUMNS, FORMATS
from sealstead.server.audit.models import Event

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
DETAILS: tuple[dict[str, Any], ...] = (
    {},
    {"name": "Schlüssel \U0001f511", "n": 3, "no": None, "list": [], "on": True, "rate": 1.5},
    {"name": 'a\nb\t\x01\x7f "=\\u00e9', "u": "\u2028"},
    {"files": [{"name": "a b.exe", "size": 7}, "x"], "nested": {"é": ["=1"]}},
)


def facts_of(event: Event, names: dict[UUID, str], *, origin: bool) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at.isoformat().replace("+00:00", "Z"),
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


def as_json(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: list[dict[str, Any]]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [
            "'" + str(row[name]) if str(row[name]).startswith(("=", "+", "-", "@")) else row[name]
            for name in COLUMNS[:-1]
        ]
        writer.writerow([*cells, json.dumps(row["details"], ensure_ascii=False) if row["details"] else ""])
    return lines.getvalue()


def as_text(rows: list[dict[str, Any]]) -> str:
    text = ""
    for row in rows:
        known = {name: row[name] for name in COLUMNS[4:-1] if row[name]} | row["details"]
        facts = " ".join(f"{k}={quick._word(v)}" for k, v in known.items() if v not in (None, "", []))
        outcome = "ok     " if row["accepted"] else "refused"
        text += f"{row['at']} {outcome} {row['tag']} {facts}".rstrip() + "\n"
    return text


@pytest.mark.parametrize(("name", "plain"), [("jsonl", as_json), ("csv", as_csv), ("txt", as_text)])
def test_a_download_is_what_models_say(name: str, plain: Callable[[Any], str]) -> None:
    ada, bob = make_user("=ada"), make_user("bob")
    names = {ada.pk: "=ada", bob.pk: "bob"}
    halves = () if connection.vendor == "postgresql" else ({"half": "\ud800"},)
    for number, details in enumerate((*DETAILS, *halves) * 3):
        Event.objects.create(
            at=AT + timedelta(days=number, microseconds=(0, 1, 250_000)[number % 3]),
            tag="signature:made",
            accepted=number % 2 == 0,
            code="" if number % 2 == 0 else "-refused",
            actor_id=(None, ada.pk, bob.pk)[number % 3],
            actor_name=("", "=ada", 'bob, "b"')[number % 3],
            user_id=(bob.pk, uuid4(), None, ada.pk)[number % 4],
            credential_id=uuid4() if number % 2 else None,
            project="harbour" if number % 5 else "",
            ip=("192.0.2.7", "2001:db8::1", None)[number % 3],
            user_agent="@agent\u00ad" if number % 2 else "",
            request_id="r-1",
            details=details,
        )
    events = Event.objects.order_by("-id")
    assert len({FORMATS[one][0] for one in FORMATS}) == 3
    for reader in (None, ada.pk):
        rows = [
            facts_of(one, names, origin=reader is None or one.actor_id in (None, reader)) for one in events
        ]
        content = b"".join(quick.download(events, name, reader=reader).streaming_content)  # type: ignore[arg-type]
        assert content == plain(rows).encode("utf-8", "replace")


def test_more_accounts_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_MOST_NAMES", 2)
    monkeypatch.setattr(quick, "_CHUNK", 2)
    people = [make_user(f"u{number}") for number in range(6)]
    for one in (*people, *people):
        Event.objects.create(at=AT, tag="account:signed-in", user_id=one.pk)
    answer = quick.download(Event.objects.order_by("id"), "jsonl")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[arg-type]
    assert [json.loads(line)["account"] for line in lines] == [one.username for one in (*people, *people)]
