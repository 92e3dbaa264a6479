"""What a holder of an API key asks about the key itself: `/api/v1/key` and its rotation (docs/reference/api-keys.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sealstead.errors import SealsteadError
from sealstead.lifecycle.policy import InvalidOverlapError
from sealstead.lifecycle.states import words_of
from sealstead.server.api_request import ApiRequest, Routes
from sealstead.server.credentials.api_keys import (
    ProvedKey,
    Role,
    judge_api_key,
    prove_api_key,
    require_allowed,
    require_good,
)
from sealstead.server.credentials.key_errors import (
    ApiKeyExpiredError,
    ApiKeyRetiredError,
    IdempotencyKeyMissingError,
    InvalidKeyHashError,
)
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.policy import default_overlap
from sealstead.server.credentials.rotate_key import NewKey, rotate_api_key
from sealstead.server.credentials.states import standing_of

MAX_IDEMPOTENCY_KEY_CHARS = 200
_ROTATION_MEMBERS = frozenset({"id", "secret_sha256", "overlap_seconds", "auto_revoke"})


def show_key(request: ApiRequest) -> Mapping[str, Any]:
    """`GET /api/v1/key`. Reads alone: asking about a key is no use of it."""
    grant = judge_api_key(request.authorization, at=request.at, origin=request.origin, role=None)
    row = Credential.objects.select_related("owner", "predecessor").get(pk=grant.credential_id)
    return key_facts(row, request.at)


def rotate(request: ApiRequest) -> Mapping[str, Any]:
    """`POST /api/v1/key/rotate`. The credential is judged completely before the body is read."""
    proved = prove_api_key(request.authorization, at=request.at, origin=request.origin)
    try:
        too_late = _too_late(proved)
        require_allowed(proved, Role.API_KEY_ROTATOR)
    except SealsteadError as exc:
        proved.refused(exc)
        raise
    idempotency_key = (request.idempotency_key or "").strip()
    if not 0 < len(idempotency_key) <= MAX_IDEMPOTENCY_KEY_CHARS:
        raise IdempotencyKeyMissingError
    body = request.json()
    new, overlap, auto_revoke = _read_rotation(body)
    try:
        done = rotate_api_key(
            proved,
            new,
            overlap=overlap,
            idempotency_key=idempotency_key,
            auto_revoke=auto_revoke,
            too_late=too_late,
        )
    except (ApiKeyExpiredError, ApiKeyRetiredError) as exc:
        proved.refused(exc)
        raise
    row = Credential.objects.select_related("owner", "predecessor").get(pk=done.successor.pk)
    facts = key_facts(row, request.at)
    return {"key": facts, "predecessor": facts["predecessor"], "repeated": done.repeated}


def key_facts(row: Credential, at: datetime) -> dict[str, Any]:
    """Return what a key's holder may know of it; also what `--json` of the admin commands shows."""
    successor = row.successors.filter(revoked_at=None).first()
    return {
        "id": row.handle,
        "name": row.name,
        "owner": row.owner.get_username(),
        "roles": row.scope["roles"],
        **_state(row, at),
        "created_at": _iso(row.created_at),
        "expires_at": _iso(row.expires_at),
        "expires_in_seconds": (
            None if row.expires_at is None else max(math.floor((row.expires_at - at).total_seconds()), 0)
        ),
        "retires_at": _iso(row.retires_at),
        "overdue_at": _iso(row.overdue_at),
        "labels": row.scope.get("labels"),
        "networks": row.scope.get("networks"),
        "rate": row.scope.get("rate"),
        "line": {"id": str(row.line), "started_at": _iso(row.line_started_at)},
        "predecessor": None if row.predecessor is None else _predecessor(row.predecessor, row, at),
        "successor": None
        if successor is None
        else {
            "id": successor.handle,
            **_state(successor, at),
            "used": successor.last_used_at is not None,
            "created_at": _iso(successor.created_at),
        },
    }


def _state(row: Credential, at: datetime) -> dict[str, str]:
    standing = standing_of(row, at)
    return {"state": str(standing), "state_text": words_of(standing)}


def _predecessor(row: Credential, successor: Credential, at: datetime) -> dict[str, Any]:
    return {
        "id": row.handle,
        "name": row.name,
        **_state(row, at),
        "retires_at": _iso(row.retires_at),
        "overdue_at": _iso(row.overdue_at),
        "rotated_at": _iso(successor.created_at),
        "uses_since_rotation": [
            {"address": one.address, "count": one.count, "last_at": _iso(one.last_at)}
            for one in row.address_uses.order_by("-last_at", "address")
        ],
    }


def _too_late(proved: ProvedKey) -> SealsteadError | None:
    """Return why the key is not accepted any more, if a rotation may still be repeated with it."""
    try:
        require_good(proved)
    except (ApiKeyExpiredError, ApiKeyRetiredError) as exc:
        return exc
    return None


def _read_rotation(body: Mapping[str, Any]) -> tuple[NewKey, timedelta, bool]:
    """
    Raises:
        InvalidKeyHashError, InvalidOverlapError
    """
    unknown = sorted(set(body) - _ROTATION_MEMBERS)
    if unknown:
        raise InvalidKeyHashError(f"the rotation has an unknown member: {unknown[0][:40]!r}")
    key_id, secret_sha256 = body.get("id"), body.get("secret_sha256")
    if not isinstance(key_id, str) or not isinstance(secret_sha256, str):
        raise InvalidKeyHashError("the rotation needs the texts id and secret_sha256")
    auto_revoke = body.get("auto_revoke", True)
    if not isinstance(auto_revoke, bool):
        raise InvalidKeyHashError("auto_revoke is not true or false")
    # Whoever names no overlap gets that of the server's policy, as on the page.
    overlap = _overlap(body["overlap_seconds"]) if "overlap_seconds" in body else default_overlap()
    return NewKey(id=key_id, secret_sha256=secret_sha256), overlap, auto_revoke


def _overlap(seconds: object) -> timedelta:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidOverlapError(
            "overlap_seconds is not a number", hint="it counts seconds, for example 604800"
        )
    # The bounds are the policy's to judge; what timedelta cannot hold is beyond all of them.
    return timedelta(seconds=min(max(seconds, -1.0), 1e9))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


ROUTES: Final[Routes] = {
    ("GET", "/api/v1/key"): show_key,
    ("POST", "/api/v1/key/rotate"): rotate,
}
