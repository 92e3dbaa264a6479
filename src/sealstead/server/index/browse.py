"""Pages for people: the list with its search, a project, a version.

Rules:
  * a project has one address, at its normalised name; other spellings are redirected there;
  * a quarantined project shows that it is, and nothing that was uploaded;
  * the description was made safe when it was stored (`description.py`); links come from metadata and are shown only
    with a scheme that runs nothing; nothing is loaded from elsewhere (`untracked`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from packaging.utils import canonicalize_name

from sealstead.server.index.models import Project, ProjectState, Release, Role
from sealstead.server.index.search import MAX_QUERY_CHARACTERS, listed, search
from sealstead.server.index.simple import file_path
from sealstead.server.index.upload_api import wrong_address
from sealstead.server.index.versions import find_version, newest, version_key

PROJECTS_PER_PAGE: Final = 50
FILES_PER_PAGE: Final = 100
RELEASES_SHOWN: Final = 30

_LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_IMAGE: Final = re.compile(r'<img((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*/?>', re.ASCII)
_ATTRIBUTE: Final = re.compile(r'([a-zA-Z-]+)="([^"]*)"', re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Link:
    label: str
    url: str


@csrf_exempt
def home(request: HttpRequest) -> HttpResponse:
    """The list. Whoever uploads to the bare address is told the right one; nothing here changes anything."""
    if request.method not in {"GET", "HEAD"}:
        return wrong_address(request, allow="GET, HEAD")
    return _list(request, listed(), query="")


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:MAX_QUERY_CHARACTERS]
    return _list(request, search(query), query=query)


def _list(request: HttpRequest, projects: Any, *, query: str) -> HttpResponse:  # noqa: ANN401 - a query set
    page = Paginator(projects, PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "index/list.html", {"page": page, "query": query})


@require_safe
def project(request: HttpRequest, name: str, version: str | None = None) -> HttpResponse:
    """The page of a project, or of one of its versions."""
    found = Project.objects.filter(normalized_name=canonicalize_name(name), deleted_at=None).first()
    if found is None:
        raise Http404
    if name != found.normalized_name:
        names = [found.normalized_name] + ([version] if version else [])
        return HttpResponsePermanentRedirect(reverse("project-version" if version else "project", args=names))
    if found.state == ProjectState.QUARANTINED:
        return render(request, "index/project.html", {"project": found, "quarantined": True})
    releases = sorted(
        Release.objects.filter(project=found, deleted_at=None).only(
            "version", "canonical_version", "created_at", "yanked_at"
        ),
        key=lambda release: version_key(release.version),
        reverse=True,
    )
    latest = newest(releases)
    shown = latest if version is None else find_version(releases, version)
    if version is not None and shown is None:
        raise Http404
    context: dict[str, Any] = {
        "project": found,
        "latest": latest,
        "version": version,
        "maintainers": Role.objects.filter(project=found).select_related("user").order_by("user__username"),
        "releases": releases if "history" in request.GET else releases[:RELEASES_SHOWN],
        "release_count": len(releases),
        "may_manage": request.user.is_authenticated and found.roles.filter(user=request.user).exists(),
    }
    if shown is not None:
        context |= _release_context(request, found, shown, pinned=version is not None)
    return render(request, "index/project.html", context)


def _release_context(request: HttpRequest, found: Project, shown: Release, *, pinned: bool) -> dict[str, Any]:
    shown = Release.objects.get(pk=shown.pk)
    metadata: dict[str, Any] = shown.metadata
    files = shown.files.filter(deleted_at=None).order_by("filename")
    page = Paginator(files, FILES_PER_PAGE).get_page(request.GET.get("page"))
    for file in page:
        file.path = file_path(file.blake2b, file.filename)  # type: ignore[attr-defined]
    requirement = f"{found.normalized_name}=={shown.version}" if pinned else found.normalized_name
    return {
        "release": shown,
        "metadata": metadata,
        "license": metadata.get("license_expression") or _first_line(metadata.get("license", "")),
        "links": project_links(metadata),
        "files": page,
        "description": untracked(shown.description_html),
        "index_url": f"{settings.SEALSTEAD.public_url}/simple/",
        "requirement": requirement,
    }


def project_links(metadata: dict[str, Any]) -> list[Link]:
    """Return the links of a release's metadata that are safe to follow."""
    named = [
        (_("Home page"), metadata.get("home_page", "")),
        (_("Download"), metadata.get("download_url", "")),
        *(metadata.get("project_urls") or {}).items(),
    ]
    links = {url: Link(label=label, url=url) for label, url in named if _is_safe_link(url)}
    return list(links.values())


def _is_safe_link(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    # Browsers drop control characters before they read the scheme; urlsplit drops only some.
    return parts.scheme in _LINK_SCHEMES and bool(parts.netloc or parts.path) and url.isprintable()


def untracked(html: str) -> SafeString:
    """Return a description without pictures of elsewhere: a link stands where each was.

    A picture on another server tells that server who reads the page, and the page's policy would block it.
    The input is the sanitiser's output, where every attribute value stands in double quotes.
    """
    return mark_safe(_IMAGE.sub(_picture_link, html))  # noqa: S308 - made safe by description.py


def _picture_link(match: re.Match[str]) -> str:
    attributes = {name.lower(): unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
    url, text = attributes.get("src", ""), attributes.get("alt", "") or _("picture")
    if _is_safe_link(url):
        return format_html('<a href="{}" rel="nofollow noopener noreferrer">{}</a>', url, text)
    return format_html("<em>{}</em>", text)


def _first_line(text: str) -> str:
    """Older metadata puts the whole text of a licence where its name belongs."""
    return text.strip().partition("\n")[0][:100]
