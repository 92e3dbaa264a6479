"""Signing keys in the database, for in-process tests. Import it inside tests and fixtures of a `conftest.py`."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

from tests.certificates import NOW, Issued, issue, issuer

from sealstead.secret import Secret
from sealstead.server.api_edge import ApiEdge
from sealstead.server.at_hand import AnswerAtHand
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.signing.create import By, Named, create_minisign, import_pem
from sealstead.server.signing.models import Certificate, Profile

ORIGIN = Origin(ip="192.0.2.7", user_agent="tests/1", request_id="r-1")
OPERATOR = By(actor=None, at=NOW, origin=ORIGIN)


@cache
def signer(name: str = "Harbour Ltd", **facts: Any) -> Issued:
    """A leaf below the tests' issuer; made once for each set of facts."""
    return issue(name, by=issuer(), ca=False, usage={"digital_signature": True}, **facts)


def make_certificate(
    label: str = "production",
    *,
    profile: Profile = Profile.AUTHENTICODE,
    issued: Issued | None = None,
    alias: str = "",
    **facts: Any,
) -> Certificate:
    """Import a certificate, below the tests' issuer and valid for a year around NOW unless told otherwise."""
    by = By(actor=None, at=facts.pop("at", NOW), origin=ORIGIN)
    named = Named(label=label, profile=profile, alias=alias)
    if profile == Profile.MINISIGN:
        return create_minisign(named, by).row
    issued = issued or issue("Harbour Ltd", by=issuer(), usage={"digital_signature": True}, **facts)
    row = import_pem(issued.pem(), None, named, by).row
    Event.objects.all().delete()
    return row


def at_end(issued: Issued) -> datetime:
    return issued.certificate.not_valid_after_utc


class Client:
    """A holder of an API key who asks the protocol in process, at the moment of the fake clock."""

    def __init__(self, key: Secret[str] | str) -> None:
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        from tests.api_keys import bearer

        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_AUTHORIZATION": bearer(self.key),
            "HTTP_USER_AGENT": "tests/1",
            "CONTENT_LENGTH": str(len(sent)),
            "wsgi.input": BytesIO(sent),
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        environ["PATH_INFO"], _, environ["QUERY_STRING"] = path.partition("?")
        setup_testing_defaults(environ)
        seen: list[Any] = []
        edge = ApiEdge(_nobody)
        # As a worker does: the express lane first, and what it does not answer is asked anew.
        if edge.is_prompt(method, environ["PATH_INFO"]):
            prompt: list[AnswerAtHand | None] = []
            if edge.answer_when_durable({**environ, "wsgi.input": BytesIO(sent)}, prompt.append):
                assert len(prompt) == 1
            if prompt and prompt[0] is not None:
                return Answer(int(prompt[0].status[:3]), dict(prompt[0].headers), json.loads(prompt[0].body))
        body = b"".join(edge(environ, lambda *given: seen.append(given)))  # type: ignore[arg-type,return-value]
        (status, listed) = seen[0]
        return Answer(int(status[:3]), dict(listed), json.loads(body))

    def sign(self, *items: dict[str, Any], key: str = "", **order: Any) -> Answer:
        """Ask for signatures of `items`; the rest of the order is that of a PE file unless told otherwise."""
        body = {"label": "production", "profile": "authenticode", "algorithm": "SHA256", "items": items}
        headers = {"idempotency_key": key} if key else {}
        return self.ask("POST", "/api/v1/sign", {**body, **order}, **headers)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    json: Any

    @property
    def code(self) -> str:
        return str(self.json.get("code", ""))

    @property
    def signatures(self) -> list[bytes]:
        return [base64.b64decode(item["signature"], validate=True) for item in self.json["items"]]


def _nobody(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("204 Elsewhere", [])
    return []


def item(
    content: bytes = b"MZ", *, kind: str = "pe", algorithm: str = "sha256", **facts: Any
) -> dict[str, Any]:
    return {"kind": kind, "digest": b64(hashlib.new(algorithm, content).digest()), **facts}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
