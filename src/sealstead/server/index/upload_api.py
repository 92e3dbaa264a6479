"""`POST /legacy/`: the upload protocol of the reference index, as twine, uv and their kin speak it.

Order: the credential, completely, before a byte of the body is read; then the body; then everything else
(`upload.py`). Whatever is refused, the rest of the body is read and dropped first, within a limit: clients read no
answer while they send. How long a silent client is waited for is the worker's rule (`server/worker.py`). Each
refusal after the credential's own is one event, committed apart from the upload.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from sealstead.errors import SealsteadError
from sealstead.server.audit import tags
from sealstead.server.audit.origin import origin_of
from sealstead.server.audit.record import record
from sealstead.server.config import Config
from sealstead.server.credentials.judge import judge_upload
from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.multipart import MAX_FIELD_BYTES, BodyReader, read_body
from sealstead.server.index.names import normalize_name
from sealstead.server.index.upload import Outcome, accept_upload
from sealstead.server.index.upload_errors import IndexBusyError, StorageFullError
from sealstead.server.index.upload_gate import Gate
from sealstead.server.index.upload_store import database_trouble
from sealstead.server.problem import answer, help_link, refusal
from sealstead.server.site.address import server_address

DRAIN_FACTOR = 4
"""How many times the largest file is read and dropped to get an answer through to a known client."""
RETRY_SECONDS = 5

_log = structlog.get_logger(__name__)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@csrf_exempt
def legacy_redirect(request: HttpRequest) -> HttpResponse:
    """`/legacy`: the slash is missing, and a redirect would lose the body with most clients; 308 keeps it."""
    config: Config = settings.SEALSTEAD
    _body(request).drain(config.max_file_bytes + MAX_FIELD_BYTES)
    response = HttpResponse(
        "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)\n",
        status=308,
        content_type="text/plain; charset=utf-8",
    )
    # A whole address: twine takes a Location without a host for another server's.
    response["Location"] = upload_address(request)
    return response


def upload_address(request: HttpRequest) -> str:
    return server_address(request) + reverse("legacy-upload")


def wrong_address(request: HttpRequest, *, allow: str) -> HttpResponse:
    """Tell a client that uploads to a page, or a person who looks at the address for uploads, where to go."""
    config: Config = settings.SEALSTEAD
    _body(request).drain(config.max_file_bytes + MAX_FIELD_BYTES)
    text = f"Uploads go to {upload_address(request)}, by POST. See {help_link('twine')} for more information."
    response = answer(request, status=405, text=text, code="method-not-allowed", about=help_link("twine"))
    response["Allow"] = allow
    return response


@csrf_exempt
def legacy_upload(request: HttpRequest) -> HttpResponse:
    """Take one file."""
    if request.method != "POST":
        return wrong_address(request, allow="POST")
    body = _body(request)
    try:
        outcome = _upload(request, body)
    except SealsteadError as exc:
        response = refusal(request, exc)
        if isinstance(exc, IndexBusyError):
            response["Retry-After"] = str(RETRY_SECONDS)
        return response
    text = f"{outcome.filename}: {'stored' if outcome.written else 'already there, nothing done'}"
    return HttpResponse(
        "\n".join((text, *(f"warning: {warning}" for warning in outcome.warnings))) + "\n",
        content_type="text/plain; charset=utf-8",
    )


def _upload(request: HttpRequest, body: BodyReader) -> Outcome:
    config: Config = settings.SEALSTEAD
    at = config.clock.now()
    limit = config.max_file_bytes + MAX_FIELD_BYTES
    try:
        with _plain_trouble():
            grant = judge_upload(request.headers.get("Authorization"), at=at, origin=origin_of(request))
    except SealsteadError:
        body.drain(limit)
        raise
    gate = Gate(grant=grant, config=config)
    try:
        with _plain_trouble():
            outcome = _receive(request, body, gate)
            if not outcome.written:
                _record_unchanged(request, outcome, gate)
            return outcome
    except SealsteadError as exc:
        body.drain(DRAIN_FACTOR * limit)
        _record_refusal(request, exc, gate)
        raise


def _receive(request: HttpRequest, body: BodyReader, gate: Gate) -> Outcome:
    config = gate.config
    blobs = LocalBlobs(config.data_dir / "blobs")
    received = read_body(request.META, body, blobs=blobs, gate=gate.limit, too_large=gate.too_large)
    try:
        return accept_upload(
            received,
            query_action=request.GET.get(":action", ""),
            gate=gate,
            blobs=blobs,
            at=config.clock.now(),
            origin=origin_of(request),
        )
    finally:
        if received.content is not None:
            received.content.file.close()


def _record_unchanged(request: HttpRequest, outcome: Outcome, gate: Gate) -> None:
    """Write the event: the credential was used, even if the index has nothing new."""
    record(
        tags.FILE_UNCHANGED,
        at=gate.config.clock.now(),
        origin=origin_of(request),
        actor_id=gate.grant.owner.pk,
        actor_name=gate.grant.owner.get_username(),
        credential_id=gate.grant.credential_id,
        project=normalize_name(gate.name)[:200],
        details={"filename": outcome.filename},
    )


def _record_refusal(request: HttpRequest, exc: SealsteadError, gate: Gate) -> None:
    """Write the event. A database that cannot take it must not hide the answer."""
    try:
        record(
            tags.FILE_REFUSED,
            at=gate.config.clock.now(),
            origin=origin_of(request),
            accepted=False,
            code=exc.code,
            actor_id=gate.grant.owner.pk,
            actor_name=gate.grant.owner.get_username(),
            credential_id=gate.grant.credential_id,
            project=normalize_name(gate.name)[:200],
            details={"filename": gate.filename[:300], "reason": exc.message[:400]},
        )
    except DatabaseError:
        _log.exception("refusal not recorded", code=exc.code)


@contextmanager
def _plain_trouble() -> Iterator[None]:
    """Turn a full disk and a busy database into typed errors."""
    try:
        yield
    except OperationalError as exc:
        trouble = database_trouble(exc)
        if trouble is None:
            raise
        _log.warning("upload failed", reason=str(exc))
        raise trouble from exc
    except OSError as exc:
        if exc.errno not in _FULL:
            raise
        _log.warning("upload failed", reason=str(exc))
        raise StorageFullError("The server has no room for this file.") from exc


def _body(request: HttpRequest) -> BodyReader:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    return BodyReader(request, max(length, 0))
