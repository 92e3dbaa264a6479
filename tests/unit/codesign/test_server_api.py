"""What the client makes of a server's answers: values, or one typed error for each thing that can be done about it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.signing_server import FakeSigningServer, RefusedError, signing_server

from sealstead.codesign.server_api import ServerApi
from sealstead.codesign.server_errors import (
    ApiKeyNotAllowedError,
    ApiKeyRefusedError,
    NotASigningServerError,
    RequestRejectedError,
    ServerBusyError,
    ServerConflictError,
    ServerFailedError,
    ServerNotFoundError,
)
from sealstead.codesign.server_values import SignItem, SignRequest
from sealstead.errors import SealsteadError
from sealstead.secret import Secret

CERTIFICATE = {
    "id": "c1",
    "alias": "release",
    "label": "production",
    "profile": "authenticode",
    "subject": "CN=Example",
    "issuer": "CN=Root",
    "serial": "01",
    "thumbprint": "AB",
    "thumbprint_sha256": "CD",
    "not_before": "2026-01-01T00:00:00Z",
    "not_after": "2027-01-01T00:00:00.5Z",
    "algorithm": "RSA-3072",
    "is_test": False,
    "certificate": base64.b64encode(b"leaf").decode(),
    "chain": [base64.b64encode(b"root").decode()],
    "public_key": None,
    "a member of later": 1,
}
REQUEST = SignRequest(
    items=[SignItem(kind="pe", digest=b"d" * 32, file_name="a.exe"), SignItem(kind="file", digest=b"e" * 32)],
    label="production",
    profile="authenticode",
    algorithm="SHA256",
)


@pytest.fixture
def server() -> Iterator[FakeSigningServer]:
    with signing_server() as running:
        yield running


def api(server: FakeSigningServer, key: str | None = None) -> ServerApi:
    text = Secret(key) if key else server.issue().text
    return ServerApi(server.url, text, retries=0, environ={}, pause=lambda _: None)


def answering(server: FakeSigningServer, document: object) -> ServerApi:
    server.fault = lambda _method, _path: "text:" + json.dumps(document)
    return api(server)


def test_what_a_key_is(server: FakeSigningServer) -> None:
    info = api(server).key_info()
    assert (info.name, info.owner, info.roles) == ("ci", "ada", ("Standard", "ApiKeyRotator"))
    assert info.expires_in_seconds == timedelta(days=90).total_seconds()
    assert info.expires_at == datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert info.predecessor is None


def test_certificates(server: FakeSigningServer) -> None:
    found = answering(server, {"certificates": [CERTIFICATE, CERTIFICATE]}).certificates(label="ü & b")
    assert [one.certificate for one in found] == [b"leaf", b"leaf"]
    assert found[0].chain == (b"root",)
    assert server.asked == [("GET", "/api/v1/certificates?label=%C3%BC+%26+b")]


def test_signatures_come_in_order(server: FakeSigningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def answer(_: object, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        sent.append((method, path, headers["idempotency-key"], json.loads(body)))
        items = [{"signature": base64.b64encode(text).decode()} for text in (b"one", b"two")]
        return {"certificate": CERTIFICATE, "items": items, "request_id": "r1"}

    monkeypatch.setattr(FakeSigningServer, "answer", answer)
    done = api(server).sign(REQUEST, idempotency_key="i")
    assert (done.signatures, done.request_id) == ((b"one", b"two"), "r1")
    assert sent == [
        (
            "POST",
            "/api/v1/sign",
            "i",
            {
                "label": "production",
                "profile": "authenticode",
                "algorithm": "SHA256",
                "items": [
                    {"kind": "pe", "digest": base64.b64encode(b"d" * 32).decode(), "file_name": "a.exe"},
                    {"kind": "file", "digest": base64.b64encode(b"e" * 32).decode()},
                ],
            },
        )
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ApiKeyRefusedError),
        (403, ApiKeyNotAllowedError),
        (404, ServerNotFoundError),
        (409, ServerConflictError),
        (429, ServerBusyError),
        (400, RequestRejectedError),
        (413, RequestRejectedError),
        (422, RequestRejectedError),
        (500, ServerFailedError),
        (503, ServerFailedError),
    ],
)
def test_each_refusal_has_its_error(
    server: FakeSigningServer, monkeypatch: pytest.MonkeyPatch, status: int, expected: type[SealsteadError]
) -> None:
    def refuse(*_: object) -> Any:
        raise RefusedError(status, "some-code", "Item 3 is\nodd.", headers={"Retry-After": "45"}, more=1)

    monkeypatch.setattr(FakeSigningServer, "answer", refuse)
    with pytest.raises(expected) as refused:
        api(server).sign(REQUEST)
    assert refused.value.message.startswith("the server refuses: item 3 is odd")
    assert refused.value.server_code == "some-code"  # type: ignore[attr-defined]
    assert refused.value.members["more"] == 1  # type: ignore[attr-defined]
    assert ("45 seconds" in refused.value.message) == (status == 429)


@pytest.mark.parametrize("status", ["200", "404", "401", "418"])
def test_what_is_no_signing_server(server: FakeSigningServer, status: str) -> None:
    server.fault = lambda _method, _path: status
    with pytest.raises(NotASigningServerError):
        api(server).key_info()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"certificate": CERTIFICATE, "items": []},
        {"certificate": CERTIFICATE, "items": [{"signature": "AA=="}]},
        {"certificate": CERTIFICATE, "items": [{"signature": "AA=="}] * 3},
        {"certificate": CERTIFICATE, "items": [{"signature": "AA=="}, {"signature": ""}]},
        {"certificate": CERTIFICATE, "items": [{"signature": "AA=="}, {"signature": "no base64"}]},
        {"certificate": CERTIFICATE, "items": [{"signature": "AA=="}, {"signature": 1}]},
        {"certificate": {**CERTIFICATE, "chain": "x"}, "items": [{"signature": "AA=="}] * 2},
        {
            "certificate": {**CERTIFICATE, "not_after": "2026-01-01T00:00:00"},
            "items": [{"signature": "AA=="}] * 2,
        },
        {"certificate": {**CERTIFICATE, "is_test": "no"}, "items": [{"signature": "AA=="}] * 2},
    ],
)
def test_half_an_answer_is_none(server: FakeSigningServer, document: object) -> None:
    with pytest.raises(NotASigningServerError):
        answering(server, document).sign(REQUEST)


def test_the_key_is_in_no_error_and_no_address(server: FakeSigningServer) -> None:
    key = "seal_some_secret"
    with pytest.raises(ApiKeyRefusedError) as refused:
        api(server, key).key_info()
    assert key not in repr(refused.value)
    assert key not in str(refused.value.members)
    assert all(key not in path for _, path in server.asked)


def test_moments_are_told_to_the_second_whatever_the_server_writes(server: FakeSigningServer) -> None:
    asked = ServerApi(server.url, server.issue().text, retries=0, environ={})
    document = dict(asked.key_info().document) | {
        "created_at": "2026-01-02T03:04:05.678901+01:00",
        "line": {"id": "l", "started_at": "2026-01-02T03:04:05.6Z"},
        "seen_at": "a text of later",
    }
    told = answering(server, document).key_info().document
    assert told["created_at"] == "2026-01-02T02:04:05Z"
    assert told["line"] == {"id": "l", "started_at": "2026-01-02T03:04:05Z"}
    assert told["seen_at"] == "a text of later"
