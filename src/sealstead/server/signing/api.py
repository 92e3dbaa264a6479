"""Signing and certificates over `/api/v1` (docs/reference/signing-api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sealstead.errors import SealsteadError
from sealstead.server.api_request import ApiRequest, Document, Prepared, PromptRoutes, Routes, Tell
from sealstead.server.credentials.api_keys import Role, judge_api_key, ready_api_key
from sealstead.server.signing.describe import document_of
from sealstead.server.signing.errors import (
    CertificateNotFoundError,
    InvalidSelectorError,
    LabelNotAllowedError,
)
from sealstead.server.signing.models import normalize_label
from sealstead.server.signing.openapi import openapi_document
from sealstead.server.signing.order import Order, parse_order
from sealstead.server.signing.records import commit_record_later
from sealstead.server.signing.select import SELECTORS, find_certificates, parse_selector
from sealstead.server.signing.sign import leaving, record_refusal, sign, sign_only


def sign_items(request: ApiRequest) -> Document:
    """`POST /api/v1/sign`. The key is judged completely before the body is read."""
    grant = judge_api_key(request.authorization, at=request.at, origin=request.origin, role=Role.STANDARD)
    order: Order | None = None
    try:
        order = parse_order(request.json())
        return sign(order, grant, origin=request.origin, idempotency_key=request.idempotency_key)
    except SealsteadError as exc:
        record_refusal(exc, grant, origin=request.origin, order=order)
        raise


def prepare_signature(request: ApiRequest) -> Prepared | None:
    """Prepare the answer of `sign_items` where one item is signed; the worker's one lane for it does not wait for a batch, for
    another machine or for a refusal's event.
    """
    try:
        grant = ready_api_key(request.authorization, at=request.at, origin=request.origin, role=Role.STANDARD)
        order = None if grant is None else parse_order(request.json())
        if grant is None or order is None or len(order.items) > 1:
            return None
        signed = sign_only(order, grant, origin=request.origin, idempotency_key=request.idempotency_key)
    except SealsteadError:
        return None  # `sign_items` meets it again, and writes its event
    if signed is None:
        return None

    def commit(tell: Tell) -> None:
        commit_record_later(signed.record, lambda error: tell(leaving(signed) if error is None else None))

    return Prepared(document=signed.answer, commit=commit)


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

PROMPT: Final[PromptRoutes] = {("POST", "/api/v1/sign"): prepare_signature}
