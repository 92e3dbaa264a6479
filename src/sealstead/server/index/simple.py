"""`/simple/` and `/simple/<name>/`: PEP 503 and PEP 691, from rows to answers.

Rules:
  * a project has one page, at its normalised name; other spellings are redirected there;
  * a deleted project is not there; a quarantined one (PEP 792) is missing from the list and shows no file;
  * file addresses are relative to the page, so neither a Host header nor a proxy's prefix can bend them;
  * `Cache-Control` lets everybody keep a page and nobody use it unasked: a release is seen at once, and asking
    costs one 304.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from packaging.utils import canonicalize_name

from sealstead.formats import simple_index
from sealstead.formats.negotiation import Form, negotiate
from sealstead.server.index.answer import Answer, Headers, ReadRequest, matches, redirect, text_answer
from sealstead.server.index.models import File, IndexState, Project, ProjectState, Release
from sealstead.server.index.page_store import StoredPage, pages
from sealstead.server.index.reader import reader
from sealstead.server.index.versions import version_key

REVISION: Final = "s1"
"""Change it with every change of what these pages hold: stored pages are rendered again."""

PREFIX: Final = "/simple/"

_PROJECT_SERIAL: Final = "SELECT serial FROM index_project WHERE normalized_name = %s AND deleted_at IS NULL"
_INDEX_SERIAL: Final = "SELECT serial FROM index_indexstate WHERE id = 1"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?", re.ASCII)
_NORMAL: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)

READ_HEADERS: Final[Headers] = [
    ("Cache-Control", "public, max-age=0, must-revalidate"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "X-PyPI-Last-Serial"),
]


def answer_simple(request: ReadRequest) -> Answer:
    """Answer a GET below `/simple/`."""
    if request.path == PREFIX.removesuffix("/"):
        return redirect(PREFIX, request.query)
    name = request.path.removeprefix(PREFIX).removesuffix("/")
    if name and not _NORMAL.fullmatch(name):
        if not _NAME.fullmatch(name):
            return text_answer(HTTPStatus.NOT_FOUND)
        return redirect(f"{PREFIX}{canonicalize_name(name)}/", request.query)
    if not request.path.endswith("/"):
        return redirect(f"{request.path}/", request.query)
    form = negotiate(request.headers.get("accept"), request.query)
    if form is None:
        names = ", ".join(form.value for form in Form)
        return text_answer(
            HTTPStatus.NOT_ACCEPTABLE, f"Not Acceptable: ask for {names}", [("Vary", "Accept")]
        )
    page = project_page(name, form) if name else list_page(form)
    if page is None:
        return text_answer(HTTPStatus.NOT_FOUND, "Not Found: no such project", [("Vary", "Accept")])
    return _answer_page(request, page, form)


def answer_from_memory(request: ReadRequest) -> Answer | None:
    """Answer a GET for a page that this process holds, or None: `answer_simple` knows the rest."""
    name = request.path.removeprefix(PREFIX).removesuffix("/")
    form = negotiate(request.headers.get("accept"), request.query)
    if form is None or not request.path.endswith("/") or (name and not _NORMAL.fullmatch(name)):
        return None
    serial = project_serial(name) if name else index_serial()
    page = None if serial is None else pages.remembered(_key(form, name), serial)
    return None if page is None else _answer_page(request, page, form)


def _key(form: Form, name: str) -> str:
    return f"simple:{'json' if form is Form.JSON else 'html'}:{name}"


def index_serial() -> int:
    """Return the serial of the last change of the index."""
    row = reader().one(_INDEX_SERIAL)
    return int(row[0]) if row else 0


def _answer_page(request: ReadRequest, page: StoredPage, form: Form) -> Answer:
    headers = [
        ("ETag", page.etag),
        ("Vary", "Accept"),
        ("X-PyPI-Last-Serial", str(page.serial)),
        *READ_HEADERS,
    ]
    if matches(request.headers.get("if-none-match"), page.etag):
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    content_type = "text/html; charset=utf-8" if form is Form.PLAIN_HTML else form.value
    return Answer(HTTPStatus.OK, [("Content-Type", content_type), *headers], page.body)


def project_serial(normalized_name: str) -> int | None:
    """Return the serial of the project's last change, or None if there is no such project."""
    row = reader().one(_PROJECT_SERIAL, (normalized_name,))
    return None if row is None else int(row[0])


def project_page(normalized_name: str, form: Form) -> StoredPage | None:
    """Return a project's page, or None if there is no such project."""
    serial = project_serial(normalized_name)
    if serial is None:
        return None

    def render() -> tuple[int, bytes]:
        detail = project_detail(normalized_name)
        if form is Form.JSON:
            return detail.serial, simple_index.serialize_detail_json(detail)
        return detail.serial, simple_index.serialize_detail_html(detail)

    return pages.get(_key(form, normalized_name), serial=serial, revision=REVISION, render=render)


def list_page(form: Form) -> StoredPage:
    """Return the list of all projects."""

    def render() -> tuple[int, bytes]:
        serial, projects = listed_projects()
        if form is Form.JSON:
            return serial, simple_index.serialize_list_json(projects, serial=serial)
        return serial, simple_index.serialize_list_html(projects, serial=serial)

    return pages.get(_key(form, ""), serial=index_serial(), revision=REVISION, render=render)


def project_detail(normalized_name: str) -> simple_index.ProjectDetail:
    """Read what a project's page shows. A change that commits meanwhile is read again (it moves the serial)."""
    for _ in range(5):
        project = Project.objects.get(normalized_name=normalized_name)
        hidden = project.state == ProjectState.QUARANTINED
        detail = simple_index.ProjectDetail(
            name=project.normalized_name,
            serial=project.serial,
            status=project.state,
            status_reason=project.state_reason,
            versions=() if hidden else _versions(project),
            files=() if hidden else _files(project),
        )
        if Project.objects.values_list("serial", flat=True).get(pk=project.pk) == detail.serial:
            break
    return detail


def _versions(project: Project) -> list[str]:
    found = Release.objects.filter(project=project, deleted_at=None).values_list("version", flat=True)
    return sorted(found, key=version_key)


def _files(project: Project) -> list[simple_index.IndexedFile]:
    rows = File.objects.filter(
        release__project=project, deleted_at=None, release__deleted_at=None
    ).values_list(
        "filename",
        "blake2b",
        "sha256",
        "size",
        "uploaded_at",
        "requires_python",
        "metadata_sha256",
        "release__yanked_at",
        "release__yanked_reason",
        "release__version",
    )
    keys = {version: version_key(version) for version in {row[9] for row in rows}}
    return [
        simple_index.IndexedFile(
            filename=row[0],
            url=f"../..{file_path(row[1], row[0])}",
            sha256=row[2],
            size=row[3],
            uploaded_at=row[4],
            requires_python=row[5],
            metadata_sha256=row[6],
            yanked=row[7] is not None,
            yanked_reason=row[8] if row[7] is not None else "",
        )
        for row in sorted(rows, key=lambda row: (keys[row[9]], row[0]))
    ]


def file_path(blake2b: str, filename: str) -> str:
    """Return the address of a distribution file on this server."""
    return f"/files/{blake2b[:2]}/{blake2b[2:4]}/{blake2b[4:]}/{filename}"


def listed_projects() -> tuple[int, list[simple_index.ListedProject]]:
    """Return the serial of the index and the projects of its list."""
    for _ in range(5):
        serial = _index_serial()
        rows = (
            Project.objects.filter(deleted_at=None)
            .exclude(state=ProjectState.QUARANTINED)
            .order_by("normalized_name")
            .values_list("name", "normalized_name", "serial")
        )
        projects = [
            simple_index.ListedProject(name=name, normalized_name=normalized_name, serial=changed)
            for name, normalized_name, changed in rows
        ]
        if _index_serial() == serial:
            break
    return serial, projects


def _index_serial() -> int:
    return IndexState.objects.values_list("serial", flat=True).filter(pk=1).first() or 0
