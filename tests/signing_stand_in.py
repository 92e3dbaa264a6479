"""A signing server in a thread: it speaks `/api/v1`, signs whatever digest it gets, and keeps nothing.

Where the server itself is the point, tests use the real one (`tests/server_process.py`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.keys import key
from tests.signers import Holder, detached, leaf, root, signature

from sealstead.codesign.server_api import ServerApi
from sealstead.formats.minisign import serialize_signature, sign_digest
from sealstead.formats.minisign_key import serialize_public_key
from sealstead.secret import Secret

KEY = "seal_0123456789ab_" + "x" * 43 + "_000000"
LABELS = {"production": "authenticode", "detached": "cms-detached", "release": "minisign"}
MINISIGN_KEY = key(7)
NOW = datetime.now(UTC).replace(microsecond=0)


def certificate(profile: str, holder: Holder) -> dict[str, Any]:
    der = holder.der
    public = serialize_public_key(MINISIGN_KEY.public).decode().splitlines()[1]
    return {
        "id": f"id-{profile}",
        "alias": f"{profile} (2027)",
        "label": next(label for label, one in LABELS.items() if one == profile),
        "profile": profile,
        "subject": "CN=Test Signer",
        "issuer": "CN=Test Root",
        "serial": "01",
        "thumbprint": hashlib.sha1(der).hexdigest().upper(),  # noqa: S324 - what a thumbprint is
        "thumbprint_sha256": hashlib.sha256(der).hexdigest().upper(),
        "not_before": NOW.isoformat(),
        "not_after": NOW.isoformat(),
        "algorithm": "P-256",
        "is_test": True,
        "certificate": None if profile == "minisign" else base64.b64encode(der).decode(),
        "chain": [] if profile == "minisign" else [base64.b64encode(root().der).decode()],
        "public_key": public if profile == "minisign" else None,
    }


@dataclass(kw_only=True)
class StandIn:
    """`asked` holds the bodies of requests to sign; `spoil` may change or replace an answer: (status, document)."""

    url: str = ""
    holder: Holder = field(default_factory=leaf)
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None
    spoil: Callable[[int, dict[str, Any]], tuple[int, dict[str, Any]]] = lambda status, value: (status, value)
    expires_in_seconds: int | None = None
    retires_at: str | None = None

    def api(self) -> ServerApi:
        return ServerApi(self.url, Secret(KEY), retries=0)

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match (method, parts.path):
            case ("GET", "/api/v1/certificates"):
                found = self.chosen(query)
                return (
                    self.spoil(200, {"certificates": found})
                    if found
                    else self.refusal(404, "certificate-not-found")
                )
            case ("GET", "/api/v1/key"):
                return 200, self.key()
            case ("POST", "/api/v1/sign"):
                assert body is not None
                self.asked.append(body)
                self.before_answer()
                return self.spoil(*self.signed(body))
        return self.refusal(404, "not-found")

    def chosen(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        every = [certificate(profile, self.holder) for profile in LABELS.values()]
        if (label := query.get("label")) == "mixed":
            return every
        return [one for one in every if label == one["label"] or query.get("subject") == one["alias"]]

    def signed(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        profile = body["profile"]
        if not any(one["profile"] == profile for one in self.chosen(body)):
            return self.refusal(404, "certificate-not-found")
        signatures = [self.one(profile, body, item) for item in body["items"]]
        return 200, {
            "certificate": certificate(profile, self.holder),
            "items": [{"signature": base64.b64encode(one).decode()} for one in signatures],
            "request_id": f"request-{len(self.asked)}",
        }

    def one(self, profile: str, body: dict[str, Any], item: dict[str, Any]) -> bytes:
        digest, algorithm = base64.b64decode(item["digest"]), body["algorithm"]
        if profile == "minisign":
            assert algorithm == "BLAKE2b-512"
            return serialize_signature(sign_digest(MINISIGN_KEY, digest, trusted_comment="from the server"))
        if profile == "cms-detached":
            return detached(digest, alg=algorithm, holder=self.holder, above=(root(),))
        return signature(
            digest,
            kind=item["kind"],
            alg=algorithm,
            holder=self.holder,
            above=(root(),),
            description=body.get("description"),
            url=body.get("description_url"),
        )

    def key(self) -> dict[str, Any]:
        return {
            "id": "0123456789ab",
            "name": "ci",
            "owner": "ada",
            "roles": ["Standard"],
            "state": "active",
            "created_at": NOW.isoformat(),
            "expires_at": None
            if self.expires_in_seconds is None
            else (NOW + timedelta(seconds=self.expires_in_seconds)).isoformat(),
            "expires_in_seconds": self.expires_in_seconds,
            "retires_at": self.retires_at,
            "overdue_at": None,
            "labels": None,
            "networks": None,
            "rate": None,
            "line": {"id": "l", "started_at": NOW.isoformat()},
            "predecessor": None,
            "successor": None,
        }

    @staticmethod
    def refusal(status: int, code: str) -> tuple[int, dict[str, Any]]:
        return status, {"status": status, "code": code, "title": code.replace("-", " ")}


@contextlib.contextmanager
def serving(holder: Holder | None = None) -> Iterator[StandIn]:
    """Answer on a free port of the loopback interface."""
    stand_in = StandIn(holder=holder or leaf())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            stand_in.paths.append(f"{self.command} {self.path}")
            if self.headers["Authorization"] != f"Bearer {KEY}":
                status, value = stand_in.refusal(401, "unauthorized")
            else:
                status, value = stand_in.answer(self.command, self.path, body)
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header(
                "Content-Type", "application/json" if status == 200 else "application/problem+json"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
