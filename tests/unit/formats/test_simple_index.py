from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from sealstead.formats.simple_index import (
    IndexedFile,
    ListedProject,
    ProjectDetail,
    serialize_detail_html,
    serialize_detail_json,
    serialize_list_html,
    serialize_list_json,
    upload_time,
)

MOMENT = datetime(2026, 3, 1, 12, 0, 5, 123, tzinfo=UTC)
WHEEL = IndexedFile(
    filename="demo-1.0-py3-none-any.whl",
    url="../../files/aa/bb/cc/demo-1.0-py3-none-any.whl",
    sha256="a" * 64,
    size=1234,
    uploaded_at=MOMENT,
    requires_python=">=3.11,<4",
    metadata_sha256="b" * 64,
)
SDIST = IndexedFile(
    filename="demo-0.9.tar.gz",
    url="../../files/dd/ee/ff/demo-0.9.tar.gz",
    sha256="c" * 64,
    size=99,
    uploaded_at=MOMENT,
    yanked=True,
    yanked_reason='broken on "Windows" & <others>',
)
DETAIL = ProjectDetail(name="demo", serial=42, status="active", versions=["0.9", "1.0"], files=[SDIST, WHEEL])


class Anchors(HTMLParser):
    """Collects anchors and metas as an installer's parser would."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.anchors: list[tuple[dict[str, str | None], str]] = []
        self.metas: dict[str | None, str | None] = {}
        self.comments: list[str] = []
        self.tags: set[str] = set()
        self._open: dict[str, str | None] | None = None
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self._open = dict(attrs)
        elif tag == "meta":
            self.metas[dict(attrs).get("name")] = dict(attrs).get("content")

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.anchors.append((self._open, data))
            self._open = None

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def test_detail_json_is_what_pep_691_700_714_792_name() -> None:
    document = json.loads(serialize_detail_json(DETAIL))

    assert document["meta"] == {"api-version": "1.4", "_last-serial": 42}
    assert document["name"] == "demo"
    assert document["project-status"] == {"status": "active"}
    assert document["versions"] == ["0.9", "1.0"]
    assert document["files"][1] == {
        "filename": "demo-1.0-py3-none-any.whl",
        "url": "../../files/aa/bb/cc/demo-1.0-py3-none-any.whl",
        "hashes": {"sha256": "a" * 64},
        "requires-python": ">=3.11,<4",
        "size": 1234,
        "upload-time": "2026-03-01T12:00:05.000123Z",
        "yanked": False,
        "core-metadata": {"sha256": "b" * 64},
        "data-dist-info-metadata": {"sha256": "b" * 64},
    }


def test_detail_json_of_a_yanked_file_gives_the_reason_or_true() -> None:
    without_reason = replace(DETAIL, files=[SDIST, replace(SDIST, yanked_reason="")])

    files = json.loads(serialize_detail_json(without_reason))["files"]

    assert [file["yanked"] for file in files] == ['broken on "Windows" & <others>', True]
    assert files[0]["core-metadata"] is False
    assert "requires-python" not in files[0]


def test_project_status_carries_its_reason() -> None:
    archived = replace(DETAIL, status="archived", status_reason="use other")

    assert json.loads(serialize_detail_json(archived))["project-status"] == {
        "status": "archived",
        "reason": "use other",
    }
    page = Anchors(serialize_detail_html(archived))
    assert page.metas["pypi:project-status"] == "archived"
    assert page.metas["pypi:project-status-reason"] == "use other"


def test_detail_html_is_what_pep_503_and_658_name() -> None:
    page = Anchors(serialize_detail_html(DETAIL))

    assert page.metas["pypi:repository-version"] == "1.4"
    assert page.metas["pypi:project-status"] == "active"
    assert page.anchors[1] == (
        {
            "href": f"../../files/aa/bb/cc/demo-1.0-py3-none-any.whl#sha256={'a' * 64}",
            "data-requires-python": ">=3.11,<4",
            "data-core-metadata": f"sha256={'b' * 64}",
            "data-dist-info-metadata": f"sha256={'b' * 64}",
        },
        "demo-1.0-py3-none-any.whl",
    )
    assert page.anchors[0][0]["data-yanked"] == 'broken on "Windows" & <others>'


def test_html_ends_with_its_serial() -> None:
    assert serialize_detail_html(DETAIL).endswith(b"<!--SERIAL 42-->")
    assert serialize_list_html([], serial=7).endswith(b"<!--SERIAL 7-->")


HOSTILE = "\"'><script>alert(1)</script>&amp;<!--"


@pytest.mark.parametrize("field", ["filename", "url", "requires_python", "yanked_reason"])
def test_a_hostile_value_of_a_file_stays_a_value(field: str) -> None:
    file = replace(WHEEL, yanked=True, **{field: HOSTILE})

    raw = serialize_detail_html(replace(DETAIL, files=[file]))
    page = Anchors(raw)

    assert "script" not in page.tags
    assert page.comments == ["SERIAL 42"]
    assert len(page.anchors) == 1
    document = json.loads(serialize_detail_json(replace(DETAIL, files=[file])))
    shown = document["files"][0][
        {"requires_python": "requires-python", "yanked_reason": "yanked"}.get(field, field)
    ]
    assert shown == HOSTILE


@pytest.mark.parametrize("field", ["name", "status", "status_reason"])
def test_a_hostile_value_of_a_project_stays_a_value(field: str) -> None:
    page = Anchors(serialize_detail_html(replace(DETAIL, **{field: HOSTILE})))

    assert "script" not in page.tags
    assert page.comments == ["SERIAL 42"]


def test_lists_name_every_project() -> None:
    projects = [
        ListedProject(name="Demo.X", normalized_name="demo-x", serial=3),
        ListedProject(name="<b>", normalized_name="b", serial=4),
    ]

    assert json.loads(serialize_list_json(projects, serial=9)) == {
        "meta": {"api-version": "1.4", "_last-serial": 9},
        "projects": [{"name": "Demo.X", "_last-serial": 3}, {"name": "<b>", "_last-serial": 4}],
    }
    page = Anchors(serialize_list_html(projects, serial=9))
    assert page.anchors == [({"href": "demo-x/"}, "Demo.X"), ({"href": "b/"}, "<b>")]
    assert "b" not in page.tags


def test_upload_time_is_utc_with_microseconds() -> None:
    local = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))

    assert upload_time(local) == "2026-03-01T12:00:00.000000Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", upload_time(MOMENT))
