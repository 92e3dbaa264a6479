"""Pages of the simple index: values to bytes.

PEP 503 (HTML), PEP 691 (JSON), with PEP 592 (yanked), PEP 629 (version), PEP 658 and 714 (metadata files), PEP 700
(versions, size, upload time) and PEP 792 (project status). The HTML form is frozen at what PEP 833 lists: what is
newer appears in JSON alone. No provenance (PEP 740) is named: this index serves none.

Rules:
  * every value from outside is escaped where it is written, HTML attributes and JSON alike;
  * file addresses come in as the caller wrote them; nothing here knows a host;
  * the order of files and versions is the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

API_VERSION = "1.4"


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedFile:
    """One distribution file as an index shows it. `sha256` and `metadata_sha256` are lower hex."""

    filename: str
    url: str
    sha256: str
    size: int
    uploaded_at: datetime
    requires_python: str = ""
    metadata_sha256: str = ""
    """Of the `.metadata` file beside it; blank when there is none."""
    yanked: bool = False
    yanked_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectDetail:
    """What `/simple/<name>/` shows. `status` is a word of PEP 792."""

    name: str
    serial: int
    status: str
    status_reason: str = ""
    versions: Sequence[str] = ()
    files: Sequence[IndexedFile] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedProject:
    """One line of `/simple/`. The normalised name is its address."""

    name: str
    normalized_name: str
    serial: int


def upload_time(moment: datetime) -> str:
    """PEP 700: `yyyy-mm-ddThh:mm:ss.ffffffZ`, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def serialize_detail_json(detail: ProjectDetail) -> bytes:
    status = {"status": detail.status} | ({"reason": detail.status_reason} if detail.status_reason else {})
    return _json(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": detail.serial},
            "name": detail.name,
            "project-status": status,
            "versions": list(detail.versions),
            "files": [_file(file) for file in detail.files],
        }
    )


def _file(file: IndexedFile) -> dict[str, Any]:
    metadata: dict[str, str] | bool = {"sha256": file.metadata_sha256} if file.metadata_sha256 else False
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": upload_time(file.uploaded_at),
        "yanked": (file.yanked_reason or True) if file.yanked else False,
        # PEP 714: both names for as long as old clients read the first one.
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,
    }
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    return entry


def serialize_list_json(projects: Iterable[ListedProject], *, serial: int) -> bytes:
    return _json(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": serial},
            "projects": [{"name": project.name, "_last-serial": project.serial} for project in projects],
        }
    )


def serialize_detail_html(detail: ProjectDetail) -> bytes:
    status = f'    <meta name="pypi:project-status" content="{escape(detail.status)}">\n'
    if detail.status_reason:
        status += f'    <meta name="pypi:project-status-reason" content="{escape(detail.status_reason)}">\n'
    title = f"Links for {escape(detail.name)}"
    lines = "".join(_anchor(file) for file in detail.files)
    return _html(title, status, f"    <h1>{title}</h1>\n{lines}", detail.serial)


def _anchor(file: IndexedFile) -> str:
    attributes = f'href="{escape(file.url)}#sha256={file.sha256}"'
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.metadata_sha256:
        value = f"sha256={file.metadata_sha256}"
        attributes += f' data-dist-info-metadata="{value}" data-core-metadata="{value}"'
    if file.yanked:
        attributes += f' data-yanked="{escape(file.yanked_reason)}"'
    return f"    <a {attributes}>{escape(file.filename)}</a><br />\n"


def serialize_list_html(projects: Iterable[ListedProject], *, serial: int) -> bytes:
    lines = "".join(
        f'    <a href="{escape(project.normalized_name)}/">{escape(project.name)}</a><br />\n'
        for project in projects
    )
    return _html("Simple index", "", lines, serial)


def _html(title: str, meta: str, body: str, serial: int) -> bytes:
    return (
        "<!DOCTYPE html>\n<html>\n  <head>\n"
        f'    <meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"{meta}    <title>{title}</title>\n  </head>\n  <body>\n{body}  </body>\n</html>\n"
        f"<!--SERIAL {serial}-->"
    ).encode()


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
