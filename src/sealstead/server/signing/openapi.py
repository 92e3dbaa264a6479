"""The protocol below `/api/v1` as an OpenAPI 3.1 document. A test holds it against the routes and against real answers."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings

from sealstead.server.api_request import MAX_BODY_BYTES
from sealstead.server.signing.models import Profile
from sealstead.server.signing.order import DIGEST_BYTES, KINDS, MAX_ITEMS
from sealstead.server.signing.records import KEPT

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC"}
_BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64"}


def openapi_document() -> dict[str, Any]:
    """Return the document, with this server's address."""
    return {**_document(), "servers": [{"url": settings.SEALSTEAD.public_url}]}


@cache
def _document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sealstead: signing",
            "version": "1",
            "description": "Files stay with the client: it sends digests, and the server builds what is signed.",
        },
        "security": [{"apiKey": []}],
        "paths": {
            "/api/v1/key": {"get": _operation("The API key of this request", "Key")},
            "/api/v1/key/rotate": {
                "post": _operation(
                    "Make a successor of the API key; both work for the overlap",
                    "Rotated",
                    body="Rotation",
                    parameters=[
                        _idempotency(required=True, description="A repeat returns the same successor.")
                    ],
                )
            },
            "/api/v1/certificates": {
                "get": _operation(
                    "The certificates that may be signed with, best first",
                    "Certificates",
                    parameters=[_query(name) for name in ("label", "thumbprint", "subject")],
                )
            },
            "/api/v1/sign": {
                "post": _operation(
                    "Sign digests: all of them or none",
                    "Signed",
                    body="SignRequest",
                    parameters=[
                        _idempotency(
                            required=False,
                            description=f"For {KEPT // timedelta(minutes=1)} minutes a repeat of the same request gets the same answer, "
                            "another request under the same name 409.",
                        )
                    ],
                )
            },
            "/api/v1/openapi.json": {
                "get": {**_operation("This document", None), "security": []},
            },
        },
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "seal_<id>_<secret>_<crc>"}
            },
            "schemas": _schemas(),
        },
    }


def _operation(
    summary: str, answer: str | None, *, body: str | None = None, parameters: list[Schema] | None = None
) -> Schema:
    content: Schema = {"application/json": {"schema": _ref(answer) if answer else {"type": "object"}}}
    operation: Schema = {
        "summary": summary,
        "responses": {
            "200": {"description": "done", "content": content},
            "default": {
                "description": "refused (RFC 9457); with Retry-After where waiting helps",
                "content": {"application/problem+json": {"schema": _ref("Problem")}},
            },
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {
            "required": True,
            "description": f"at most {MAX_BODY_BYTES} bytes",
            "content": {"application/json": {"schema": _ref(body)}},
        }
    return operation


def _schemas() -> dict[str, Schema]:
    certificate = {
        **dict.fromkeys(("id", "alias", "label", "subject", "issuer", "serial", "algorithm"), _TEXT),
        "profile": {"enum": Profile.values},
        "thumbprint": {"type": "string", "description": "SHA-1, upper hex"},
        "thumbprint_sha256": _TEXT,
        "not_before": _or_null(_MOMENT),
        "not_after": _or_null(_MOMENT),
        "is_test": _FLAG,
        "certificate": _or_null(_BASE64),
        "chain": _list(_BASE64),
        "public_key": _or_null({"type": "string", "description": "minisign"}),
    }
    return {
        "Problem": _object(
            {
                **dict.fromkeys(("type", "title", "detail", "code"), _TEXT),
                "status": {"type": "integer"},
            }
        ),
        "Certificate": _object(certificate),
        "Certificates": _object(
            {"certificates": _list({"allOf": [_ref("Certificate"), _object({"enabled": _FLAG})]})}
        ),
        "SignRequest": _sign_request(),
        "Signed": _object(
            {
                "certificate": _ref("Certificate"),
                "items": _list(
                    _object({"signature": _BASE64 | {"description": "ContentInfo (DER), or a .minisig file"}})
                ),
                "request_id": _TEXT,
            }
        ),
        "Key": _key(),
        "Predecessor": _predecessor(),
        "Rotation": _object(
            {
                "id": {"type": "string", "pattern": "^[0-9A-Za-z]{12}$"},
                "secret_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "overlap_seconds": _COUNT,
                "auto_revoke": _FLAG,
            },
            required=["id", "secret_sha256"],
        ),
        "Rotated": _object({"key": _ref("Key"), "predecessor": _ref("Predecessor"), "repeated": _FLAG}),
    }


def _sign_request() -> Schema:
    item = _object(
        {
            "kind": {"enum": sorted({kind for kinds in KINDS.values() for kind in kinds})},
            "digest": _BASE64,
            "file_name": _TEXT,
            "file_size": _COUNT,
            "file_version": _TEXT,
        },
        required=["kind", "digest"],
    )
    return {
        **_object(
            {
                **dict.fromkeys(("label", "thumbprint", "subject", "description", "description_url"), _TEXT),
                "profile": {"enum": Profile.values},
                "algorithm": {"enum": list(DIGEST_BYTES)},
                "items": _list(item) | {"minItems": 1, "maxItems": MAX_ITEMS},
            },
            required=["profile", "algorithm", "items"],
        ),
        "oneOf": [{"required": [name]} for name in ("label", "thumbprint", "subject")],
    }


def _key() -> Schema:
    successor = _object(
        {"id": _TEXT, "state": _TEXT, "state_text": _TEXT, "used": _FLAG, "created_at": _MOMENT}
    )
    return _object(
        {
            **dict.fromkeys(("id", "name", "owner", "state", "state_text"), _TEXT),
            "roles": _list({"enum": ["Standard", "ApiKeyRotator"]}),
            "created_at": _MOMENT,
            **{name: _or_null(_MOMENT) for name in ("expires_at", "retires_at", "overdue_at")},
            "expires_in_seconds": _or_null(_COUNT),
            "labels": _or_null(_list(_TEXT)),
            "networks": _or_null(_list(_TEXT)),
            "rate": _or_null(
                _TEXT | {"description": "5/s, 60/m, 1000/h or 5000/d; every request with the key counts"}
            ),
            "line": _object({"id": _TEXT, "started_at": _MOMENT}),
            "predecessor": _or_null(_ref("Predecessor")),
            "successor": _or_null(successor),
        }
    )


def _predecessor() -> Schema:
    use = _object({"address": _TEXT, "count": _COUNT, "last_at": _MOMENT})
    return _object(
        {
            **dict.fromkeys(("id", "name", "state", "state_text"), _TEXT),
            "retires_at": _or_null(_MOMENT),
            "overdue_at": _or_null(_MOMENT),
            "rotated_at": _MOMENT,
            "uses_since_rotation": _list(use),
        }
    )


def _object(properties: dict[str, Schema], *, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties) if required is None else required,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": _TEXT}


def _idempotency(*, required: bool, description: str) -> Schema:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": description,
        "required": required,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }
