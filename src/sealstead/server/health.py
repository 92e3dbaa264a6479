"""`/health/live`: this process answers. `/health/ready`: it can do its work.

A middleware and not a view: probes come by address, so the Host header must not matter, and nothing may open a
session. The answers name what failed, never why: the reason is in the log.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponseBase, JsonResponse

_log = structlog.get_logger(__name__)


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path not in {"/health/live", "/health/ready"}:
            return self._get_response(request)
        if request.method not in {"GET", "HEAD"}:
            refused = JsonResponse({"status": "method not allowed"}, status=405)
            refused["Allow"] = "GET, HEAD"
            return refused
        failed = [] if request.path.endswith("/live") else failed_checks()
        response = JsonResponse(
            {"status": "unavailable", "failed": failed} if failed else {"status": "ok"},
            status=503 if failed else 200,
        )
        response["Cache-Control"] = "no-store"
        response["Content-Length"] = str(len(response.content))
        return response


@cache
def newest_migrations() -> frozenset[tuple[str, str]]:
    """Return the last migration of each app, read once: Django's loader imports every migration anew each time."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def failed_checks() -> list[str]:
    """Return the names of the checks that failed: database, schema, storage."""
    failed = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            if not newest_migrations() <= MigrationRecorder(connection).applied_migrations().keys():
                failed.append("schema")
    except DatabaseError:
        _log.warning("not ready: database", exc_info=True)
        failed.append("database")
    blobs = settings.SEALSTEAD.data_dir / "blobs"
    if not os.access(blobs if blobs.exists() else blobs.parent, os.W_OK | os.X_OK):
        failed.append("storage")
    return failed
