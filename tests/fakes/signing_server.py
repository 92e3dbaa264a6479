"""A signing server in a thread, for what the client does with API keys: enough of `/api/v1`, and faults on request.

It keeps what the real one keeps of a key: the id and the hash of the secret. Time is a `FakeClock`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fakes.clock import START, FakeClock

from sealstead.errors import ParseError
from sealstead.formats.api_key_text import ApiKeyText, make_api_key, parse_api_key
from sealstead.secret import Secret

BOTH = ("Standard", "ApiKeyRotator")


class RefusedError(Exception):
    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.headers = status, more.pop("headers", {})
        self.problem = {
            "type": "about:blank",
            "title": code,
            "status": status,
            "detail": detail,
            "code": code,
        }
        self.problem |= more


@dataclass(kw_only=True)
class Row:
    id: str
    secret_sha256: str
    name: str = "ci"
    roles: tuple[str, ...] = BOTH
    created_at: datetime = START
    expires_at: datetime | None = None
    retires_at: datetime | None = None
    revoked: bool = False
    rotation_key: str = ""
    predecessor: str | None = None
    used: bool = False
    uses: list[dict[str, Any]] = field(default_factory=list)
    auto_revoke: bool = True


@dataclass(kw_only=True)
class FakeSigningServer:
    url: str = ""
    clock: FakeClock = field(default_factory=FakeClock)
    rows: dict[str, Row] = field(default_factory=dict)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    proposes: timedelta = timedelta(days=7)
    """The overlap of whoever names none."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""
    fault: Callable[[str, str], str | None] = lambda _method, _path: None
    """Says what goes wrong with a request: `lost` (carried out, and no answer), `cut` (not carried out), or a status."""

    def issue(self, *, lasts: timedelta | None = timedelta(days=90), **facts: Any) -> ApiKeyText:
        key = make_api_key(_random)
        expires_at = None if lasts is None else self.clock.now() + lasts
        self.rows[key.id] = Row(
            id=key.id,
            secret_sha256=key.secret_sha256,
            created_at=self.clock.now(),
            expires_at=expires_at,
            **facts,
        )
        return key

    def knows(self, text: str) -> bool:
        """Whether a key would be accepted now."""
        try:
            self._judge(f"Bearer {text}")
        except RefusedError:
            return False
        return True

    @property
    def rotations(self) -> int:
        return sum(path.endswith("/rotate") for _, path in self.asked)

    def respond(
        self, fault: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, str, Any, dict[str, str]]:
        """Return status, content type, document and further headers."""
        if fault.isdecimal():
            return (
                int(fault),
                "application/json",
                {"no": "problem"},
                {"Location": "https://elsewhere.example/"},
            )
        if fault.startswith("text:"):
            return 200, "application/json", fault[5:], {}
        try:
            return 200, "application/json", self.answer(method, path, headers, body), {}
        except RefusedError as exc:
            return exc.status, "application/problem+json", exc.problem, exc.headers

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        match method, path.partition("?")[0]:
            case "GET", "/api/v1/key":
                return self._document(self._judge(headers.get("authorization", "")))
            case "GET", "/api/v1/certificates":
                self._judge(headers.get("authorization", ""))
                return {"certificates": self.certificates}
            case "POST", "/api/v1/key/rotate":
                return self._rotate(headers, json.loads(body))
            case _:
                raise RefusedError(404, "no-such-page", "there is no such page")

    def _judge(self, authorization: str, *, dead: bool = False) -> Row:
        refused = RefusedError(401, "invalid-api-key", "The API key is not valid")
        try:
            key = parse_api_key(authorization.removeprefix("Bearer "))
        except ParseError:
            raise refused from None
        row = self.rows.get(key.id)
        if row is None or row.secret_sha256 != key.secret_sha256 or row.revoked:
            raise refused
        now = self.clock.now()
        if row.expires_at is not None and row.expires_at <= now:
            raise RefusedError(401, "api-key-expired", "The API key has expired")
        if row.retires_at is not None and row.retires_at <= now and not dead:
            raise RefusedError(401, "api-key-retired", "The API key was revoked automatically by rotation")
        return row

    def _rotate(self, headers: dict[str, str], wanted: dict[str, Any]) -> Any:
        row = self._judge(headers.get("authorization", ""))
        by_new = row.id == wanted["id"]
        old = self.rows[row.predecessor or ""] if by_new else row
        key = hashlib.sha256(headers["idempotency-key"].encode()).hexdigest()
        if "ApiKeyRotator" not in old.roles:
            raise RefusedError(403, "rotator-role-missing", "The API key lacks the role ApiKeyRotator")
        if not 0 <= wanted.get("overlap_seconds", self.proposes.total_seconds()) <= 30 * 86_400:
            raise RefusedError(400, "invalid-overlap", "The overlap is longer than the policy allows")
        before = next(
            (one for one in self.rows.values() if one.predecessor == old.id and not one.revoked), None
        )
        if before is not None:
            if before.rotation_key == key and before.secret_sha256 == wanted["secret_sha256"]:
                return {"key": self._document(before), "predecessor": self._brief(old), "repeated": True}
            if before.used or by_new:
                raise RefusedError(
                    409, "already-rotated", "The API key has a successor already", successor=before.id
                )
            before.revoked = True
        now = self.clock.now()
        lasts = None if old.expires_at is None else old.expires_at - old.created_at
        new = Row(
            id=wanted["id"],
            secret_sha256=wanted["secret_sha256"],
            name=old.name,
            roles=old.roles,
            created_at=now,
            expires_at=None if lasts is None else now + lasts,
            rotation_key=key,
            predecessor=old.id,
        )
        self.rows[new.id] = new
        old.auto_revoke = wanted["auto_revoke"]
        if wanted["auto_revoke"]:
            old.retires_at = now + timedelta(
                seconds=wanted.get("overlap_seconds", self.proposes.total_seconds())
            )
        return {"key": self._document(new), "predecessor": self._brief(old), "repeated": False}

    def _brief(self, row: Row) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": row.name,
            "state": self._state(row),
            "retires_at": _moment(row.retires_at),
            "rotated_at": _moment(self.clock.now()),
            "uses_since_rotation": row.uses,
        }

    def _state(self, row: Row) -> str:
        if row.retires_at is None:
            return "active"
        return "retired" if self.clock.now() >= row.retires_at else "retiring"

    def _document(self, row: Row) -> dict[str, Any]:
        now = self.clock.now()
        after = next(
            (one for one in self.rows.values() if one.predecessor == row.id and not one.revoked), None
        )
        return {
            "id": row.id,
            "name": row.name,
            "owner": "ada",
            "roles": list(row.roles),
            "state": self._state(row),
            "created_at": _moment(row.created_at),
            "expires_at": _moment(row.expires_at),
            "expires_in_seconds": row.expires_at and int((row.expires_at - now).total_seconds()),
            "retires_at": _moment(row.retires_at),
            "overdue_at": None,
            "labels": None,
            "networks": None,
            "rate": None,
            "line": {"id": "line", "started_at": _moment(START)},
            "predecessor": self._brief(self.rows[row.predecessor]) if row.predecessor else None,
            "successor": after
            and {
                "id": after.id,
                "state": "active",
                "used": after.used,
                "created_at": _moment(after.created_at),
            },
        }


def _moment(at: datetime | None) -> str | None:
    return at and at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _random(count: int) -> bytes:
    import os

    return os.urandom(count)


@contextlib.contextmanager
def signing_server(*, tls: Path | None = None) -> Iterator[FakeSigningServer]:
    """Run a server on the loopback interface; `tls`: a PEM file of its key and certificate."""
    fake = FakeSigningServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with contextlib.suppress(OSError):
                super().handle_one_request()

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.asked.append((self.command, self.path))
            fault = fake.fault(self.command, self.path) or ""
            headers = {name.lower(): value for name, value in self.headers.items()}
            answered = None if fault == "cut" else fake.respond(fault, self.command, self.path, headers, body)
            if answered is None or fault == "lost":
                self.close_connection = True
                return
            status, kind, document, more = answered
            data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the name is the standard library's

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


__all__ = ["FakeSigningServer", "RefusedError", "Secret", "signing_server"]
