"""Static files, served by the application itself under names that change with their content.

`{% static 'css/site.css' %}` gives `/static/css/site.<hash>.css`. The files are few and small: each process reads
them once, on first use, keeps them beside their gzip form, and lets browsers keep them for a year. A plain name is
answered too, without that promise. No `collectstatic`, no front server, and it works from an installed wheel
(docs/adr/0008-pages-and-languages.md). Our style sheets and scripts name no other file, so nothing is rewritten.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO

from django.contrib.staticfiles import finders
from django.core.files import File
from django.core.files.storage import Storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

_HASH_CHARACTERS = 16
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "public, max-age=0, must-revalidate"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, kw_only=True)
class Asset:
    name: str
    hashed_name: str
    content_type: str
    digest: str
    body: bytes
    gzipped: bytes | None
    """None where it would not be smaller."""


@cache
def load_asset(name: str) -> Asset | None:
    """Find a static file of any app by its plain name. Names come from templates or from `by_hashed_name`."""
    found = finders.find(name)
    if not isinstance(found, str):
        return None
    body = Path(found).read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    path = PurePosixPath(name)
    content_type = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    gzipped = gzip.compress(body, 9, mtime=0)
    return Asset(
        name=name,
        hashed_name=str(path.with_name(f"{path.stem}.{digest[:_HASH_CHARACTERS]}{path.suffix}")),
        content_type=content_type,
        digest=digest,
        body=body,
        gzipped=gzipped if len(gzipped) < len(body) else None,
    )


@cache
def _names() -> frozenset[str]:
    """All static files there are. A request can only ever name one of these, so no path reaches the disk."""
    return frozenset(
        name.replace("\\", "/") for finder in finders.get_finders() for name, _ in finder.list([])
    )


def find_asset(requested: str) -> tuple[Asset, bool] | None:
    """Return the asset behind a plain or hashed name, and whether the name fixes the content."""
    if requested in _names():
        asset = load_asset(requested)
        return (asset, False) if asset else None
    path = PurePosixPath(requested)
    stem, dot, _ = path.stem.rpartition(".")
    plain = str(path.with_name(stem + path.suffix)) if dot and stem else ""
    if plain in _names():
        asset = load_asset(plain)
        if asset is not None and asset.hashed_name == requested:
            return asset, True
    return None


class HashedAssetStorage(Storage):
    """Gives `{% static %}` the hashed address; reads and writes nothing else."""

    def url(self, name: str | None) -> str:
        asset = load_asset(name or "")
        if asset is None:
            raise ValueError(f"no static file is named {name}")
        return f"/static/{asset.hashed_name}"

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        raise NotImplementedError(name)

    def _save(self, name: str, content: IO[bytes]) -> str:
        raise NotImplementedError(name)


@require_safe
def serve_asset(request: HttpRequest, path: str) -> HttpResponse:
    found = find_asset(path)
    if found is None:
        raise Http404
    asset, fixed = found
    etag = f'"{asset.digest[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        compressed = asset.gzipped if "gzip" in request.headers.get("Accept-Encoding", "") else None
        response = HttpResponse(
            asset.body if compressed is None else compressed, content_type=asset.content_type
        )
        if compressed is not None:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = _IMMUTABLE if fixed else _REVALIDATE
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
