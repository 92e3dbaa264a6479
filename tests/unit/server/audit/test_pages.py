"""The page of all events and its downloads, through Django's own client."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from tests.rows import make_user

from sealstead.server.audit import tags
from sealstead.server.audit.kinds import kind_of
from sealstead.server.audit.record import Origin, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

EVENTS = "/manage/server/events/"
DAY = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("boss", is_superuser=True))
    from sealstead.server.audit.models import Event

    Event.objects.all().delete()
    return client


@pytest.fixture
def history(client: Client) -> None:  # after the client, whose sign-in is an event too
    bob, ada = make_user("bob"), make_user("ada")
    for tag, at, facts in (
        (tags.TOKEN_ISSUED, DAY, {"details": {"name": "Schlüssel für CI"}, "user_id": ada.pk}),
        (tags.FILE_UPLOADED, DAY.replace(day=21), {"project": "harbour-lights"}),
        (tags.TOKEN_REFUSED, DAY.replace(day=22), {"accepted": False, "code": "token-expired"}),
    ):
        values = {"user_id": bob.pk} | facts
        origin = Origin(ip="192.0.2.7", user_agent="=cmd|'/c calc'!A0", request_id="req-77")
        record(tag, at=at, origin=origin, actor_id=bob.pk, actor_name="bob", **values)


def labels(answer: Any) -> list[str]:
    cells = re.findall(r'data-label="What">(?:<span[^>]*>)?([^<]+)', answer.content.decode())
    return [html.unescape(cell).strip() for cell in cells]


def lines(answer: Any) -> list[str]:
    return b"".join(answer.streaming_content).decode().splitlines()


def test_for_others_the_page_does_not_exist() -> None:
    client = Client()
    assert client.get(EVENTS).status_code == 302
    client.force_login(make_user("bob"))
    for question in ("", "?format=jsonl", "?q=boss"):
        assert client.get(EVENTS + question).status_code == 404


@pytest.mark.usefixtures("history")
def test_events_are_found(client: Client) -> None:
    everything = ["Token refused", "File uploaded", "Token issued"]
    assert labels(client.get(EVENTS)) == everything
    for question, found in {
        "q=HARBOUR": [1],
        "q=schlüssel": [2],
        "q=schl": [2],
        "q=bob 192.0.2": [0, 1, 2],
        "q=bob nowhere": [],
        "q=req-77 expired": [0],
        "q=token issued": [2],
        "q=ada": [2],
        "q=upload-token:": [0, 2],
        "kind=credentials": [0, 2],
        "kind=index": [1],
        "kind=no-such-kind": [0, 1, 2],
        "outcome=refused": [0],
        "kind=credentials&outcome=accepted": [2],
        "since=2026-11-21": [0, 1],
        "until=2026-11-20": [2],
        "since=2026-11-21&until=2026-11-21": [1],
        "since=yesterday&until=9999-12-31": [0, 1, 2],
    }.items():
        assert labels(client.get(f"{EVENTS}?{question}")) == [everything[index] for index in found], question


@pytest.mark.usefixtures("history")
def test_an_administrator_sees_where_others_came_from(client: Client) -> None:
    page = client.get(EVENTS).content.decode()
    assert "192.0.2.7" in page
    assert "<bdi>bob</bdi>" in page
    assert page.count("<bdi>ada</bdi>") == 1


@pytest.mark.usefixtures("history")
def test_what_is_found_can_be_downloaded_in_three_formats(client: Client) -> None:
    question = f"{EVENTS}?kind=credentials&format="
    answer = client.get(question + "jsonl")
    assert answer["Content-Disposition"] == 'attachment; filename="events.jsonl"'
    documents = [json.loads(line) for line in lines(answer)]
    assert [one["tag"] for one in documents] == [tags.TOKEN_REFUSED, tags.TOKEN_ISSUED]
    assert documents[1]["details"] == {"name": "Schlüssel für CI"}
    assert documents[0]["ip"] == "192.0.2.7"
    assert [one["account"] for one in documents] == ["bob", "ada"]

    rows = list(csv.DictReader(io.StringIO("\n".join(lines(client.get(question + "csv"))))))
    assert [row["tag"] for row in rows] == [tags.TOKEN_REFUSED, tags.TOKEN_ISSUED]
    # What a client calls itself must not run in the spreadsheet of the administrator.
    assert {row["user_agent"] for row in rows} == {"'=cmd|'/c calc'!A0"}
    assert json.loads(rows[1]["details"]) == {"name": "Schlüssel für CI"}

    text = lines(client.get(question + "txt"))
    assert len(text) == 2
    assert text[0].startswith(
        "2026-11-22T23:59:00Z refused upload-token:refused code=token-expired actor=bob"
    )
    assert 'name="Schlüssel für CI"' in text[1]


def test_a_line_break_in_an_event_is_no_second_line(client: Client) -> None:
    record(
        tags.TOKEN_ISSUED,
        at=DAY,
        origin=Origin(),
        details={"name": "a\n2026-11-22T00:00:00Z ok account:forged"},
    )
    assert len(lines(client.get(EVENTS + "?format=txt"))) == 1


def test_signed_files_are_found_and_told_in_words(client: Client) -> None:
    files = [{"name": "setup.exe", "digest": "ab" * 32}, {"name": "tool.dll", "digest": "cd" * 32}]
    record("signature:made", at=DAY, origin=Origin(), actor_name="bob", details={"files": files})
    for query in ("tool.dll", "cd" * 32, "setup bob"):
        (line,) = lines(client.get(EVENTS, {"format": "txt", "kind": "signing", "q": query}))
        assert line.endswith(f'files="setup.exe {"ab" * 32}; tool.dll {"cd" * 32}"')


@pytest.mark.parametrize("form", ["jsonl", "csv", "txt"])
def test_half_a_character_does_not_cut_a_download_short(client: Client, form: str) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL stores no half character")
    for name in ("first", "\ud800", "last"):
        record(tags.TOKEN_ISSUED, at=DAY, origin=Origin(), details={"name": name})
    assert len(lines(client.get(EVENTS + f"?format={form}"))) == (4 if form == "csv" else 3)


def test_paging_keeps_the_filter(client: Client) -> None:
    for _ in range(51):
        record(tags.SIGNED_IN, at=DAY, origin=Origin(), actor_name="bob")
    page = client.get(f"{EVENTS}?q=bob&kind=accounts").content.decode()
    older = re.search(r'rel="next" href="\?([^"]+)"', page)
    assert older
    link = html.unescape(older.group(1))
    assert "q=bob" in link
    assert "kind=accounts" in link
    assert len(labels(client.get(f"{EVENTS}?{link}"))) == 1


@pytest.mark.usefixtures("history")
def test_a_page_comes_anew_only_when_asked_and_not_for_ever(client: Client) -> None:
    plain = client.get(EVENTS + "?kind=index")
    assert "Refresh" not in plain.headers
    assert 'href="?kind=index&amp;refresh=360"' in plain.content.decode()
    first = client.get(EVENTS + "?kind=index&refresh=99999")
    assert "every 10 seconds" in first.content.decode()
    seconds, _, address = first["Refresh"].partition("; url=")
    assert (seconds, "kind=index&refresh=359&seen=" in address) == ("10", True)
    assert 'href="?kind=index"' in first.content.decode()  # stops it
    assert "new event" not in client.get(address).content.decode()
    record(tags.FILE_UPLOADED, at=DAY, origin=Origin(), project="new")
    again = client.get(address)
    assert "1 new event<" in again.content.decode()
    assert "new event" not in client.get(again["Refresh"].partition("; url=")[2]).content.decode()
    last = client.get(EVENTS + "?refresh=0&seen=1")
    assert "Refresh" not in last.headers
    assert "no longer" in last.content.decode()


@pytest.mark.parametrize(
    "question", ["refresh=-1", "refresh=x", "refresh=10&before=5", "refresh=10&format=txt"]
)
def test_nothing_else_comes_anew(client: Client, question: str) -> None:
    assert "Refresh" not in client.get(f"{EVENTS}?{question}").headers


def test_every_tag_has_a_kind() -> None:
    catalogue = {value for name, value in vars(tags).items() if name.isupper()}
    assert not [tag for tag in catalogue if not kind_of(tag)]
