"""`/pypi/<name>/json` and `/pypi/<name>/<version>/json`: what tools read beside the simple index.

The shape is the public index's. What this index does not keep stays at the value that says so there:
`downloads` -1, `vulnerabilities` empty. File addresses are absolute, from the operator's `public_url`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from packaging.utils import canonicalize_name, canonicalize_version

from sealstead.formats.simple_index import upload_time
from sealstead.server.index.answer import Answer, ReadRequest, matches, redirect, text_answer
from sealstead.server.index.models import File, Project, ProjectState, Release
from sealstead.server.index.page_store import StoredPage, pages
from sealstead.server.index.simple import (
    READ_HEADERS,
    file_path,
    project_serial,
)
from sealstead.server.index.versions import find_version, newest, version_key

PREFIX: Final = "/pypi/"
REVISION: Final = "j1"
"""Change it with every change of what these pages hold."""

_ADDRESS: Final = re.compile(
    r"/pypi/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)/(?:([A-Za-z0-9._+!-]{1,200})/)?json(/?)",
    re.ASCII,
)
_INFO_TEXTS: Final = (
    "author",
    "author_email",
    "description",
    "description_content_type",
    "download_url",
    "home_page",
    "license",
    "license_expression",
    "maintainer",
    "maintainer_email",
    "requires_python",
    "summary",
)
_INFO_LISTS: Final = ("classifiers", "dynamic", "license_files", "provides_extra", "requires_dist")


def answer_json_api(request: ReadRequest) -> Answer:
    """Answer a GET below `/pypi/`."""
    match = _ADDRESS.fullmatch(request.path)
    if match is None:
        return text_answer(HTTPStatus.NOT_FOUND)
    name, version, slash = match.groups()
    normalized_name = str(canonicalize_name(name))
    if slash or name != normalized_name:
        middle = f"{version}/" if version else ""
        return redirect(f"{PREFIX}{normalized_name}/{middle}json", request.query)
    page = json_page(normalized_name, version)
    if page is None:
        return text_answer(HTTPStatus.NOT_FOUND)
    headers = [("ETag", page.etag), ("X-PyPI-Last-Serial", str(page.serial)), *READ_HEADERS]
    if matches(request.headers.get("if-none-match"), page.etag):
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    return Answer(HTTPStatus.OK, [("Content-Type", "application/json"), *headers], page.body)


class _NoSuchPageError(Exception):
    """Not worth a place in the store: anybody could fill it with names that do not exist."""


def json_page(normalized_name: str, version: str | None) -> StoredPage | None:
    """Return the document of a project or of one version, or None if there is no such thing to show."""
    serial = project_serial(normalized_name)
    if serial is None:
        return None
    canonical = None if version is None else canonicalize_version(version, strip_trailing_zero=True)

    def render() -> tuple[int, bytes]:
        document = _document(normalized_name, canonical)
        if document is None:
            raise _NoSuchPageError
        return document["last_serial"], json.dumps(document, ensure_ascii=False).encode()

    key = f"json:{normalized_name}" + (f"/{canonical}" if canonical is not None else "")
    # The operator's address is part of what these pages hold.
    address = hashlib.blake2b(settings.SEALSTEAD.public_url.encode(), digest_size=4).hexdigest()
    try:
        return pages.get(key, serial=serial, revision=f"{REVISION}.{address}", render=render)
    except _NoSuchPageError:
        return None


def _document(normalized_name: str, canonical_version: str | None) -> dict[str, Any] | None:
    project = Project.objects.get(normalized_name=normalized_name)
    if project.state == ProjectState.QUARANTINED:
        return None
    releases = {
        release.pk: release
        for release in Release.objects.filter(project=project, deleted_at=None).defer("description_html")
    }
    if canonical_version is None:
        shown = newest(releases.values())
    else:
        shown = find_version(releases.values(), canonical_version)
    if shown is None:
        return None
    files = defaultdict(list)
    rows = File.objects.filter(release__in=releases if canonical_version is None else [shown.pk])
    for file in rows.filter(deleted_at=None).order_by("filename"):
        files[file.release_id].append(_file(file, releases[file.release_id]))
    document: dict[str, Any] = {
        "info": _info(project, shown),
        "last_serial": project.serial,
        "urls": files[shown.pk],
        "vulnerabilities": [],
        "ownership": _ownership(project),
    }
    if canonical_version is None:
        ordered = sorted(releases.values(), key=lambda release: version_key(release.version))
        document["releases"] = {release.version: files[release.pk] for release in ordered}
    return document


def _info(project: Project, release: Release) -> dict[str, Any]:
    metadata: dict[str, Any] = release.metadata
    address = settings.SEALSTEAD.public_url
    page = f"{address}/project/{project.normalized_name}/"
    info: dict[str, Any] = {name: metadata.get(name) or "" for name in _INFO_TEXTS}
    info |= {name: metadata.get(name) or None for name in _INFO_LISTS}
    info |= {
        "bugtrack_url": None,
        "classifiers": metadata.get("classifiers", []),
        "description_content_type": metadata.get("description_content_type"),
        "docs_url": None,
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "keywords": ",".join(metadata.get("keywords", [])),
        "license_expression": metadata.get("license_expression"),
        "name": project.name,
        "package_url": page,
        "platform": ",".join(metadata.get("platforms", [])) or None,
        "project_url": page,
        "project_urls": metadata.get("project_urls") or None,
        "release_url": f"{page}{release.version}/",
        "requires_python": metadata.get("requires_python"),
        "version": release.version,
        "yanked": release.yanked_at is not None,
        "yanked_reason": release.yanked_reason or None,
    }
    return info


def _file(file: File, release: Release) -> dict[str, Any]:
    uploaded_at = upload_time(file.uploaded_at)
    return {
        "comment_text": file.comment or None,
        "digests": {"blake2b_256": file.blake2b, "md5": file.md5, "sha256": file.sha256},
        "downloads": -1,
        "filename": file.filename,
        "has_sig": False,
        "md5_digest": file.md5,
        "packagetype": file.filetype,
        "python_version": file.python_version or "source",
        "requires_python": file.requires_python or None,
        "size": file.size,
        "upload_time": uploaded_at[:19],
        "upload_time_iso_8601": uploaded_at,
        "url": settings.SEALSTEAD.public_url + file_path(file.blake2b, file.filename),
        "yanked": release.yanked_at is not None,
        "yanked_reason": release.yanked_reason or None,
    }


def _ownership(project: Project) -> dict[str, Any]:
    roles = project.roles.order_by("role", "user__username").values_list("role", "user__username")
    return {
        "organization": None,
        "roles": [{"role": role.capitalize(), "user": name} for role, name in roles],
    }
