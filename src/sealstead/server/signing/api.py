"""Signing and certificates over `/api/v1` (docs/reference/signing-api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sealstead.errors import SealsteadError
from sealstead.server.api_request import ApiRequest, Routes
from sealstead.server.credentials.api_keys import Role, judge_api_key
from sealstead.server.signing.describe import document_of
from sealstead.server.signing.errors import (
    CertificateNotFoundError,
    InvalidSelectorError,
    LabelNotAllowedError,
)
from sealstead.server.signing.models import normalize_label
from sealstead.server.signing.openapi import openapi_document
from sealstead.server.signing.order import Order, parse_order
from sealstead.server.signing.select import SELECTORS, find_certificates, parse_selector
from sealstead.server.signing.sign import record_refusal, sign


def sign_items(request: ApiRequest) -> Mapping[str, Any]:
    """`POST /api/v1/sign`. The key is judged completely before the body is read."""
    grant = judge_api_key(request.authorization, at=request.at, origin=request.origin, role=Role.STANDARD)
    order: Order | None = None
    try:
        order = parse_order(request.json())
        return sign(order, grant, origin=request.origin, idempotency_key=request.idempotency_key)
    except SealsteadError as exc:
        record_refusal(exc, grant, origin=request.origin, order=order)
        raise


def list_certificates(request: ApiRequest) -> Mapping[str, Any]:
    """`GET /api/v1/certificates`. Reads alone: looking is no use of the key."""
    grant = judge_api_key(request.authorization, at=request.at, origin=request.origin, role=Role.STANDARD)
    query = request.query()
    unknown = sorted(query.keys() - set(SELECTORS))
    if unknown:
        raise InvalidSelectorError(f"a parameter that is not known: {unknown[0][:40]!r}")
    selector = parse_selector(dict(query)) if query else None
    labels = grant.labels
    if (
        selector is not None
        and selector.by == "label"
        and labels is not None
        and selector.value not in map(normalize_label, labels)
    ):
        raise LabelNotAllowedError("this API key is limited to other labels")
    found = find_certificates(grant.owner, labels=labels, selector=selector, at=request.at)
    if selector is not None and not found:
        raise CertificateNotFoundError
    return {"certificates": [document_of(row) | {"enabled": row.enabled} for row in found]}


def openapi(_request: ApiRequest) -> Mapping[str, Any]:
    """`GET /api/v1/openapi.json`. The same for everybody, without a key."""
    return openapi_document()


ROUTES: Final[Routes] = {
    ("POST", "/api/v1/sign"): sign_items,
    ("GET", "/api/v1/certificates"): list_certificates,
    ("GET", "/api/v1/openapi.json"): openapi,
}
