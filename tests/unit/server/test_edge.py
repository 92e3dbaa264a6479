"""The fast read path in process: every kind of answer, on real rows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from tests.rows import NOW, make_project, make_release

from sealstead.server.edge import Edge, unauthenticated
from sealstead.server.index import reader as reader_module
from sealstead.server.index.models import File, Page, Project, ProjectState, Release
from sealstead.server.index.page_store import pages
from sealstead.server.index.serial import bump

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

JSON = "application/vnd.pypi.simple.v1+json"


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("X-Answered-By", "django")])
    return [b"django"]


def get(path: str, *, method: str = "GET", edge: Edge | None = None, **headers: str) -> Response:
    environ: dict[str, Any] = {"REQUEST_METHOD": method}
    environ["PATH_INFO"], _, environ["QUERY_STRING"] = path.partition("?")
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    environ.pop("wsgi.file_wrapper", None)
    seen: list[Any] = []
    body = b"".join((edge or Edge(django))(environ, lambda *facts: seen.append(facts)))  # type: ignore[arg-type,return-value]
    (status, listed) = seen[0]
    response = Response(int(status[:3]), dict(listed), body)
    assert len(listed) == len(response.headers), "a header twice"
    return response


@pytest.fixture(autouse=True)
def fresh_reader() -> Iterator[None]:
    pages.clear()
    yield
    reader_module.forget_reader()


@pytest.fixture
def project() -> Project:
    project = make_project("Demo.Project")
    make_release(project, "1.0", files=2)
    make_release(project, "1.10")
    make_release(project, "1.9")
    bump(project)
    return project


def store_blob(data: bytes) -> str:
    name = hashlib.blake2b(data, digest_size=32).hexdigest()
    path: Path = settings.SEALSTEAD.data_dir / "blobs" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


CONTENT = bytes(range(256)) * 4
METADATA = b"Metadata-Version: 2.1\nName: demo\n"


@pytest.fixture
def file() -> File:
    project = make_project("files")
    make_release(project, "1.0")
    file = File.objects.get(release__project=project)
    file.blake2b = store_blob(CONTENT)
    file.metadata_blake2b = store_blob(METADATA)
    file.metadata_sha256 = hashlib.sha256(METADATA).hexdigest()
    file.save()
    bump(project)
    return file


def address(file: File) -> str:
    return f"/files/{file.blake2b[:2]}/{file.blake2b[2:4]}/{file.blake2b[4:]}/{file.filename}"


# Project pages.


def test_other_paths_are_djangos() -> None:
    for path in ("/", "/simplex/", "/project/demo/", "/legacy/", "/pypi", "/files"):
        assert get(path).body == b"django"


def test_a_project_page_in_both_forms(project: Project) -> None:
    page = get("/simple/demo-project/", accept=JSON)
    assert page.status == 200
    assert page.headers["Content-Type"] == JSON
    assert page.headers["Vary"] == "Accept"
    assert page.headers["X-PyPI-Last-Serial"] == str(project.serial)
    assert page.headers["Content-Length"] == str(len(page.body))
    assert page.json["versions"] == ["1.0", "1.9", "1.10"]
    assert [file["filename"] for file in page.json["files"]] == [
        "demo-project-1.0-0-py3-none-any.whl",
        "demo-project-1.0-1-py3-none-any.whl",
        "demo-project-1.9-0-py3-none-any.whl",
        "demo-project-1.10-0-py3-none-any.whl",
    ]

    html = get("/simple/demo-project/")
    assert html.headers["Content-Type"] == "text/html; charset=utf-8"
    assert html.body.count(b"<a href=") == 4
    assert html.body.endswith(f"<!--SERIAL {project.serial}-->".encode())


def test_every_answer_is_safe_for_a_browser_and_named(project: Project, file: File) -> None:
    for path in (
        "/simple/",
        "/simple/demo-project/",
        "/simple/none/",
        address(file),
        "/pypi/demo-project/json",
    ):
        response = get(path)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'; sandbox" in response.headers["Content-Security-Policy"]
        assert len(response.headers["X-Request-ID"]) >= 8


def test_a_change_is_seen_by_the_next_request(project: Project) -> None:
    before = get("/simple/demo-project/", accept=JSON)
    with transaction.atomic():
        make_release(project, "2.0")
        bump(project)

    after = get("/simple/demo-project/", accept=JSON)

    assert before.json["versions"][-1] == "1.10"
    assert after.json["versions"][-1] == "2.0"
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json["meta"]["_last-serial"] == before.json["meta"]["_last-serial"] + 1


def test_a_page_is_rendered_once_per_change(project: Project, django_assert_num_queries: Any) -> None:
    get("/simple/demo-project/", accept=JSON)
    with django_assert_num_queries(0):
        get("/simple/demo-project/", accept=JSON)
        pages.clear()  # another process, or this one after a restart
        assert get("/simple/demo-project/", accept=JSON).status == 200


def test_a_page_stored_by_another_version_is_not_used(project: Project) -> None:
    get("/simple/demo-project/", accept=JSON)
    Page.objects.filter(key="simple:json:demo-project").update(etag='"s0-0"', body=b"old")
    pages.clear()

    assert get("/simple/demo-project/", accept=JSON).json["name"] == "demo-project"


@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("path", ["/simple/", "/simple/demo-project/"])
def test_a_known_page_is_not_sent_again(project: Project, path: str, accept: str) -> None:
    first = get(path, accept=accept)

    for tag in (first.headers["ETag"], f'"x", W/{first.headers["ETag"]}', "*"):
        again = get(path, accept=accept, if_none_match=tag)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Vary"] == "Accept"
        assert "Content-Length" not in again.headers
    assert get(path, accept=accept, if_none_match='"x"').status == 200


def test_the_forms_of_a_page_have_different_tags(project: Project) -> None:
    assert (
        get("/simple/demo-project/").headers["ETag"]
        != get("/simple/demo-project/", accept=JSON).headers["ETag"]
    )


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/simple", "/simple/"),
        ("/simple/Demo.Project/", "/simple/demo-project/"),
        ("/simple/demo__project", "/simple/demo-project/"),
        ("/simple/demo-project", "/simple/demo-project/"),
        ("/simple/Demo-Project/?format=text/html", "/simple/demo-project/?format=text/html"),
        ("/pypi/Demo_Project/json", "/pypi/demo-project/json"),
        ("/pypi/demo-project/json/", "/pypi/demo-project/json"),
        ("/pypi/Demo_Project/1.0/json", "/pypi/demo-project/1.0/json"),
    ],
)
def test_other_spellings_lead_to_the_one_address(project: Project, path: str, location: str) -> None:
    response = get(path)
    assert (response.status, response.headers["Location"]) == (301, location)


def test_a_query_that_is_no_header_value_is_dropped() -> None:
    assert get("/simple/Demo?a=\r\nSet-Cookie: x").headers["Location"] == "/simple/demo/"


@pytest.mark.parametrize(
    "path",
    [
        "/simple/none/",
        "/simple/-/",
        "/simple/a//",
        "/simple//example.org/",
        "/simple/../",
        "/simple/caf\xc3\xa9/",
        "/simple/" + "a" * 201 + "/",
        "/files/",
        "/files/aa/bb/" + "c" * 60 + "/none.whl",
        "/files/aa/bb/" + "c" * 60 + "/../../../db.sqlite3",
        "/files/../../db.sqlite3",
        "/pypi/none/json",
        "/pypi/demo-project/9.9/json",
        "/pypi/demo-project/",
        "/pypi/",
    ],
)
def test_what_is_not_there(project: Project, path: str) -> None:
    response = get(path)
    assert response.status == 404
    assert response.body.startswith(b"404 Not Found")


def test_an_unknown_form_is_refused(project: Project) -> None:
    response = get("/simple/demo-project/", accept="image/png")
    assert response.status == 406
    assert JSON.encode() in response.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(project: Project, file: File, method: str) -> None:
    for path in ("/simple/", "/simple/demo-project/", address(file), "/pypi/demo-project/json"):
        response = get(path, method=method)
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
        assert response.body.endswith(b"/legacy/\n") or method == "HEAD"


def test_head_is_get_without_the_body(project: Project, file: File) -> None:
    for path in ("/simple/", "/simple/demo-project/", address(file), "/pypi/demo-project/json"):
        full, head = get(path), get(path, method="HEAD")
        assert head.body == b""
        assert head.status == 200
        without_id = {key: value for key, value in full.headers.items() if key != "X-Request-ID"}
        assert without_id.items() <= head.headers.items()


# States.


def test_a_quarantined_project_shows_nothing(project: Project, file: File) -> None:
    quarantined = file.release.project
    Project.objects.filter(pk=quarantined.pk).update(state=ProjectState.QUARANTINED)
    bump(quarantined)

    detail = get("/simple/files/", accept=JSON).json
    assert detail["project-status"] == {"status": "quarantined"}
    assert detail["files"] == []
    assert detail["versions"] == []
    assert get(address(file)).status == 404
    assert get(address(file) + ".metadata").status == 404
    assert get("/pypi/files/json").status == 404
    names = [entry["name"] for entry in get("/simple/", accept=JSON).json["projects"]]
    assert names == ["Demo.Project"]


def test_an_archived_project_says_so_and_stays_installable(file: File) -> None:
    Project.objects.filter(pk=file.release.project_id).update(
        state=ProjectState.ARCHIVED, state_reason="use other"
    )
    bump(file.release.project)

    detail = get("/simple/files/", accept=JSON).json
    assert detail["project-status"] == {"status": "archived", "reason": "use other"}
    assert len(detail["files"]) == 1
    assert get(address(file)).status == 200


def test_what_was_deleted_is_gone(project: Project, file: File) -> None:
    File.objects.filter(pk=file.pk).update(deleted_at=NOW)
    bump(file.release.project)
    assert get("/simple/files/", accept=JSON).json["files"] == []
    assert get(address(file)).status == 410

    Release.objects.filter(project=project, version="1.9").update(deleted_at=NOW)
    bump(project)
    assert get("/simple/demo-project/", accept=JSON).json["versions"] == ["1.0", "1.10"]
    assert get("/pypi/demo-project/1.9/json").status == 404

    Project.objects.filter(pk=project.pk).update(deleted_at=NOW)
    bump(project)
    assert get("/simple/demo-project/").status == 404
    assert get("/pypi/demo-project/json").status == 404
    assert [entry["name"] for entry in get("/simple/", accept=JSON).json["projects"]] == ["files"]


def test_a_yanked_release_is_marked(project: Project) -> None:
    Release.objects.filter(project=project, version="1.9").update(yanked_at=NOW, yanked_reason="broken")
    bump(project)

    files = get("/simple/demo-project/", accept=JSON).json["files"]
    assert [file["yanked"] for file in files] == [False, False, "broken", False]
    assert get("/pypi/demo-project/1.9/json").json["info"]["yanked_reason"] == "broken"


def test_the_list_follows_every_change(project: Project) -> None:
    before = get("/simple/", accept=JSON)
    with transaction.atomic():
        bump(make_project("another"))
    after = get("/simple/", accept=JSON)

    assert [entry["name"] for entry in before.json["projects"]] == ["Demo.Project"]
    assert [entry["name"] for entry in after.json["projects"]] == ["another", "Demo.Project"]
    assert int(after.headers["X-PyPI-Last-Serial"]) == int(before.headers["X-PyPI-Last-Serial"]) + 1


def test_a_page_of_10_000_files(project: Project) -> None:
    release = make_release(project, "3.0", files=0)
    File.objects.bulk_create(
        [
            File(
                release=release,
                filename=f"demo_project-3.0-{number}-py3-none-any.whl",
                filetype="bdist_wheel",
                size=number,
                sha256=f"{number:064x}",
                blake2b=f"{number:064x}",
                md5="0" * 32,
                uploaded_at=NOW,
            )
            for number in range(10_000)
        ],
        batch_size=500,
    )
    bump(project)

    page = get("/simple/demo-project/", accept=JSON)
    assert len(page.json["files"]) == 10_004
    assert get("/simple/demo-project/").body.count(b"<a href=") == 10_004
    assert get("/simple/demo-project/", accept=JSON, if_none_match=page.headers["ETag"]).status == 304


# Files.


def test_a_file_is_sent_whole(file: File) -> None:
    response = get(address(file))
    assert (response.status, response.body) == (200, CONTENT)
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Accept-Ranges"] == "bytes"


def test_its_metadata_lies_beside_it(file: File) -> None:
    assert get(address(file) + ".metadata").body == METADATA
    File.objects.filter(pk=file.pk).update(metadata_blake2b="")
    assert get(address(file) + ".metadata").status == 404


def test_the_name_must_be_the_rows(file: File) -> None:
    assert get(address(file).replace(file.filename, "other-1.0-py3-none-any.whl")).status == 404
    other = "0" if file.blake2b[-1] != "0" else "1"
    assert get(address(file).replace(file.blake2b[4:], file.blake2b[4:-1] + other)).status == 404


@pytest.mark.parametrize(
    ("header", "first", "end"), [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, 1024), ("bytes=-24", 1000, 1024)]
)
def test_a_part_of_a_file(file: File, header: str, first: int, end: int) -> None:
    response = get(address(file), range=header)
    assert (response.status, response.body) == (206, CONTENT[first:end])
    assert response.headers["Content-Range"] == f"bytes {first}-{end - 1}/1024"
    assert response.headers["Content-Length"] == str(end - first)


def test_a_part_behind_the_end_is_refused(file: File) -> None:
    response = get(address(file), range="bytes=1024-")
    assert (response.status, response.headers["Content-Range"]) == (416, "bytes */1024")


def test_several_ranges_bring_the_whole_file(file: File) -> None:
    response = get(address(file), range="bytes=0-1,5-6")
    assert (response.status, response.body) == (200, CONTENT)


def test_if_range_compares_strongly(file: File) -> None:
    known = get(address(file)).headers
    for value, status in (
        (known["ETag"], 206),
        (known["Last-Modified"], 206),
        ('"other"', 200),
        (f"W/{known['ETag']}", 200),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
        ("nonsense", 200),
    ):
        assert get(address(file), range="bytes=0-9", if_range=value).status == status


def test_a_known_file_is_not_sent_again(file: File) -> None:
    known = get(address(file)).headers
    assert get(address(file), if_none_match=known["ETag"]).status == 304
    assert get(address(file), if_modified_since=known["Last-Modified"]).status == 304
    assert get(address(file), if_modified_since="Sat, 01 Jan 2000 00:00:00 GMT").status == 200
    assert get(address(file), if_modified_since="nonsense").status == 200
    # The entity tag decides alone when there is one.
    assert get(address(file), if_none_match='"x"', if_modified_since=known["Last-Modified"]).status == 200


def test_a_missing_blob_is_an_error_of_ours(file: File) -> None:
    blob = settings.SEALSTEAD.data_dir / "blobs" / file.blake2b[:2] / file.blake2b[2:]
    os.unlink(blob)  # noqa: PTH108
    assert get(address(file)).status == 500


def test_a_servers_file_wrapper_gets_the_file_at_its_place(file: File) -> None:
    environ: dict[str, Any] = {"PATH_INFO": address(file), "REQUEST_METHOD": "GET", "HTTP_RANGE": "bytes=5-6"}
    setup_testing_defaults(environ)
    given: list[Any] = []
    environ["wsgi.file_wrapper"] = lambda filelike, _: given.append(filelike) or [b""]

    list(Edge(django)(environ, lambda *_: None))  # type: ignore[arg-type,return-value]

    assert given[0].tell() == 5
    given[0].close()


# The JSON API.


def test_the_project_document(project: Project) -> None:
    release = Release.objects.get(project=project, version="1.10")
    release.metadata = {
        "summary": "An example",
        "keywords": ["a", "b"],
        "requires_dist": ["click>=8"],
        "project_urls": {"Source": "https://example.org/"},
        "classifiers": ["Programming Language :: Python :: 3"],
    }
    release.save()
    bump(project)

    document = get("/pypi/demo-project/json").json

    assert document["info"]["name"] == "Demo.Project"
    assert document["info"]["version"] == "1.10"
    assert document["info"]["summary"] == "An example"
    assert document["info"]["keywords"] == "a,b"
    assert document["info"]["requires_dist"] == ["click>=8"]
    assert document["info"]["project_urls"] == {"Source": "https://example.org/"}
    assert list(document["releases"]) == ["1.0", "1.9", "1.10"]
    assert document["urls"] == document["releases"]["1.10"]
    assert document["urls"][0]["url"].startswith(settings.SEALSTEAD.public_url + "/files/")
    assert document["last_serial"] == project.serial
    assert document["vulnerabilities"] == []


def test_the_newest_release_is_what_an_installer_would_choose(project: Project) -> None:
    make_release(project, "2.0b1")
    make_release(project, "1.11")
    Release.objects.filter(project=project, version="1.11").update(yanked_at=NOW)
    bump(project)

    assert get("/pypi/demo-project/json").json["info"]["version"] == "1.10"


def test_a_version_document_is_found_by_any_spelling(project: Project) -> None:
    for version in ("1.0", "1", "1.0.0", "v1.0"):
        document = get(f"/pypi/demo-project/{version}/json").json
        assert document["info"]["version"] == "1.0"
        assert len(document["urls"]) == 2
        assert "releases" not in document


def test_made_up_versions_are_not_stored(project: Project) -> None:
    get("/pypi/demo-project/77/json")
    assert not Page.objects.filter(key__contains="77").exists()


# What surrounds the answers.


def test_a_private_index_answers_alike_whether_a_path_exists_or_not(project: Project, file: File) -> None:
    private = Edge(django, gate=lambda _: unauthenticated())
    answers = {
        (response.status, response.body, response.headers["WWW-Authenticate"])
        for path in (
            "/simple/",
            "/simple/demo-project/",
            "/simple/none/",
            "/simple/No/",
            address(file),
            "/files/x",
        )
        for method in ("GET", "HEAD", "POST")
        if (response := get(path, method=method, edge=private)) and method != "HEAD"
    }
    assert len(answers) == 1
    status, _, challenge = answers.pop()
    assert status == HTTPStatus.UNAUTHORIZED
    assert challenge.startswith("Basic ")


def test_a_database_that_fails_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def one(self, *_: object) -> None:
            raise DatabaseError("secret detail")

    monkeypatch.setattr("sealstead.server.index.simple.reader", Broken)
    response = get("/simple/demo/")
    assert response.status == 503
    assert b"secret" not in response.body


def test_an_unexpected_failure_names_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sealstead.server.index.simple.reader", broken)
    response = get("/simple/demo/")
    assert response.status == 500
    assert response.headers["X-Request-ID"].encode() in response.body
    assert b"secret" not in response.body


def test_dates_of_files_are_http_dates(file: File) -> None:
    text = get(address(file)).headers["Last-Modified"]
    assert datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) <= datetime.now(UTC)


def test_bodies_are_bytes_of_the_stated_length(project: Project) -> None:
    assert BytesIO(get("/simple/").body).getbuffer().nbytes == int(get("/simple/").headers["Content-Length"])
