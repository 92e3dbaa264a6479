"""Signing on a real server with two workers: many at once, and a power cut in the middle."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

import pytest
from tests.server_process import Server, start_server
from tests.signing import item


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server on SQLite, whatever the run's database: its files are read afterwards."""
    running = start_server(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


def key_of(server: Server, user: str) -> str:
    """Make an account that may sign as `production`, and return its API key."""
    server.admin(
        "create-user", user, "--email", f"{user}@example.org", "--password-stdin", stdin="long enough 1\n"
    )
    server.admin("create-certificate", "--test", "--label", "production", "--algorithm", "RSA-2048")
    server.admin("grant-certificate", "--user", user, "--label", "production")
    return server.admin("create-api-key", "--user", user, "--name", "ci", "--role", "Standard").strip()


class Signer:
    """One connection that stays open, as a client's pool keeps it."""

    def __init__(self, server: Server, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def sign(self, content: bytes, **headers: str) -> tuple[int, Any]:
        body = {
            "label": "production",
            "profile": "authenticode",
            "algorithm": "SHA256",
            "items": [item(content)],
        }
        self._connection.request("POST", "/api/v1/sign", json.dumps(body), self._headers | headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


def once(server: Server, key: str, content: bytes, name: str) -> tuple[int, Any]:
    signer = Signer(server, key)
    try:
        return signer.sign(content, **{"Idempotency-Key": name})
    finally:
        signer.close()


def events(server: Server) -> list[dict[str, Any]]:
    database = sqlite3.connect(server.data_dir / "db.sqlite3")
    try:
        rows = database.execute("SELECT request_id, details FROM audit_event WHERE tag = 'signature:made'")
        return [{"request_id": request_id, **json.loads(details)} for request_id, details in rows]
    finally:
        database.close()


def read_answer(stream: IO[bytes]) -> tuple[int, Any]:
    status = int(stream.readline().split()[1])
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, json.loads(stream.read(length))


def check_that_requests_are_answered_however_they_arrive(server: Server, key: str) -> None:
    """In parts, ahead of each other, cut: each is answered once, in order, or not signed."""

    def request(content: bytes, key: str = key, label: str = "production") -> bytes:
        order = {"label": label, "profile": "authenticode", "algorithm": "SHA256", "items": [item(content)]}
        body = json.dumps(order).encode()
        head = f"POST /api/v1/sign HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=60) as sock, sock.makefile("rb") as stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = request(b"in parts")
        for part in (whole[:20], whole[20:-200], whole[-200:-1], whole[-1:]):
            sock.sendall(part)
            urlopen(
                f"{server.url}/health/live", timeout=60
            ).close()  # meanwhile the server has seen this part
        assert read_answer(stream)[0] == 200
        # Sent ahead: refused by the key, signed, refused by the label, signed.
        sock.sendall(
            request(b"1", key[:-1] + "x") + request(b"2") + request(b"3", label="no") + request(b"4")
        )
        assert [read_answer(stream)[0] for _ in range(4)] == [401, 200, 404, 200]
        for content, wrong in ((b"5", key[:-1] + "x"), (b"6", key)):
            sock.sendall(request(content, wrong))
            assert read_answer(stream)[0] == (200 if wrong == key else 401)
    # Cut in its body: told so or let go, at once, and not signed.
    for cut in (request(b"cut")[:-1], request(b"cut")[:40]):
        with socket.create_connection(address, timeout=60) as sock:
            sock.sendall(cut)
            sock.shutdown(socket.SHUT_WR)
            assert b" 200 " not in sock.makefile("rb").read().split(b"\r\n")[0]


def test_every_answer_has_its_event_also_after_a_power_cut_and_all_workers_agree(own_server: Server) -> None:
    key = key_of(own_server, "ada")
    answered: list[tuple[str, str]] = []
    enough = threading.Event()

    def keep_signing(worker: int) -> None:
        signer = Signer(own_server, key)
        try:
            for number in range(10_000):
                content = f"{worker} {number}".encode()
                status, answer = signer.sign(content)
                assert status == 200, answer
                answered.append((answer["request_id"], hashlib.sha256(content).hexdigest()))
                if len(answered) >= 60:
                    enough.set()
        except (OSError, http.client.HTTPException):
            pass  # the power cut
        finally:
            signer.close()

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(keep_signing, worker) for worker in range(8)]
        assert enough.wait(60)
        own_server.kill()
        for one in running:
            one.result(60)
    written = {(one["request_id"], one["files"][0]["digest"]) for one in events(own_server)}
    assert set(answered) <= written
    # Started again, it signs on: nothing was left locked.
    again = start_server(own_server.data_dir)
    try:
        signer = Signer(again, key)
        # Many under one name at the same instant, to both workers: one request, one answer.
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda part: once(again, key, part, "many"), [b"a", b"b"] * 8))
        assert {status for status, _ in answers} == {200, 409}
        assert len({json.dumps(answer) for status, answer in answers if status == 200}) == 1
        assert {answer["code"] for status, answer in answers if status == 409} == {"idempotency-key-reused"}
        assert signer.sign(b"after", **{"Idempotency-Key": "after"})[0] == 200
        signer.close()  # the server waits only so long for the next request
        # The other worker knows the idempotency key too.
        statuses = set()
        for _ in range(6):
            statuses.add(once(again, key, b"another", "after")[0])
        before = len(events(again))
        check_that_requests_are_answered_however_they_arrive(again, key)
        assert len(events(again)) == before + 4
        # Nor does any of them sign with what was disabled a moment ago, though all have the key in memory.
        again.admin("disable-certificate", "--label", "production")
        for _ in range(6):
            assert signer.sign(b"x")[1]["code"] == "certificate-disabled"
            signer.close()
    finally:
        again.stop()
    assert statuses == {409}
