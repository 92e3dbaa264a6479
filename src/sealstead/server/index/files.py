"""`/files/<aa>/<bb>/<rest>/<filename>` and the `.metadata` beside it (PEP 658).

Rules:
  * the address must name a row: digest and file name together. No part of it ever becomes a path by itself: the
    blob's name comes from the row, so there is nothing to traverse;
  * a file that was removed, or whose project is quarantined, is not sent, whoever knows its digest;
  * bytes at an address never change: clients may keep them for good and continue a broken download (Range).
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings

from sealstead.formats.byte_ranges import ByteRange, Unsatisfiable, select_range
from sealstead.server.index.answer import (
    Answer,
    Headers,
    ReadRequest,
    http_date,
    matches,
    parse_http_date,
    text_answer,
    unchanged_since,
)
from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.models import ProjectState
from sealstead.server.index.reader import reader

PREFIX: Final = "/files/"

_ADDRESS: Final = re.compile(
    r"/files/([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{60})/([A-Za-z0-9][A-Za-z0-9._+!-]{0,309})", re.ASCII
)
_METADATA: Final = ".metadata"
_FILE: Final = (
    "SELECT f.metadata_blake2b, f.deleted_at, r.deleted_at, p.deleted_at, p.state FROM index_file f "
    "JOIN index_release r ON r.id = f.release_id JOIN index_project p ON p.id = r.project_id "
    "WHERE f.filename = %s AND f.blake2b = %s"
)

_log = structlog.get_logger(__name__)


def answer_file(request: ReadRequest) -> Answer:
    """Answer a GET below `/files/`."""
    match = _ADDRESS.fullmatch(request.path)
    if match is None:
        return text_answer(HTTPStatus.NOT_FOUND)
    blob, filename = match[1] + match[2] + match[3], match[4]
    wants_metadata = filename.endswith(_METADATA)
    row = reader().one(_FILE, (filename.removesuffix(_METADATA), blob))
    if row is None:
        return text_answer(HTTPStatus.NOT_FOUND)
    metadata_blob, *deleted, state = row
    if any(moment is not None for moment in deleted):
        return text_answer(HTTPStatus.GONE, "Gone: this file was removed")
    if state == ProjectState.QUARANTINED:
        return text_answer(HTTPStatus.NOT_FOUND, "Not Found: this project is quarantined")
    if wants_metadata:
        if not metadata_blob:
            return text_answer(HTTPStatus.NOT_FOUND)
        blob = metadata_blob
    return _send(request, blob)


def _send(request: ReadRequest, blob: str) -> Answer:
    try:
        file = _store(settings.SEALSTEAD.data_dir).open(blob)
    except FileNotFoundError:
        _log.exception("a file of the index is missing in the store", blob=blob)
        return text_answer(HTTPStatus.INTERNAL_SERVER_ERROR)
    facts = os.fstat(file.fileno())
    size, modified_at = facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC)
    etag = f'"{blob[:32]}"'
    headers: Headers = [
        ("ETag", etag),
        ("Last-Modified", http_date(modified_at)),
        ("Cache-Control", "public, max-age=31536000, immutable"),
        ("Accept-Ranges", "bytes"),
        ("Access-Control-Allow-Origin", "*"),
    ]
    if _client_holds_it(request, etag, modified_at):
        file.close()
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    part = select_range(request.headers.get("range"), size)
    if part is not None and not _range_counts(request.headers.get("if-range"), etag, modified_at):
        part = None
    if isinstance(part, Unsatisfiable):
        file.close()
        return text_answer(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=[("Content-Range", f"bytes */{size}")]
        )
    # Never a type that a browser would show, nor a content encoding that a client would undo: a `.tar.gz` has
    # to arrive as it was hashed.
    headers.insert(0, ("Content-Type", "application/octet-stream"))
    if isinstance(part, ByteRange):
        file.seek(part.first)
        headers.append(("Content-Range", f"bytes {part.first}-{part.last}/{size}"))
        return Answer(HTTPStatus.PARTIAL_CONTENT, headers, file=file, file_length=part.length)
    return Answer(HTTPStatus.OK, headers, file=file, file_length=size)


@lru_cache(maxsize=4)
def _store(data_dir: Path) -> LocalBlobs:
    return LocalBlobs(data_dir / "blobs")


def _client_holds_it(request: ReadRequest, etag: str, modified_at: datetime) -> bool:
    if_none_match = request.headers.get("if-none-match")
    if if_none_match is not None:
        return matches(if_none_match, etag)
    return unchanged_since(request.headers.get("if-modified-since"), modified_at)


def _range_counts(if_range: str | None, etag: str, modified_at: datetime) -> bool:
    """`If-Range` (RFC 9110, section 13.1.5): a strong comparison; if it fails, the whole file is sent."""
    if if_range is None:
        return True
    if if_range.startswith(('"', "W/")):
        return if_range.strip() == etag
    moment = parse_http_date(if_range)
    return moment is not None and modified_at.replace(microsecond=0) == moment
