"""Reading from a real server with two workers: freshness, conditional requests, parts of files, connections."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.factories import make_wheel
from tests.server_process import Server
from tests.uploads import body_of, send

pytestmark = pytest.mark.database

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, kw_only=True)
class Publisher:
    server: Server
    token: str
    directory: Path

    def publish(self, name: str, version: str, *, filler: int = 10) -> Path:
        data = secrets.token_bytes(filler)
        path = make_wheel(self.directory, name, version, files={f"{name.replace('-', '_')}/data.bin": data})
        answer = send(self.server.port, body_of(path), self.token)
        assert answer.status == 200, answer.text
        return path


@pytest.fixture(scope="module")
def publisher(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    name = f"reader-{secrets.token_hex(5)}"
    server.admin(
        *("create-user", name, "--email", f"{name}@example.org", "--password-stdin"),
        stdin=secrets.token_hex(12) + "\n",
    )
    token = server.admin("create-token", "--user", name, "--name", "tests", "--all-projects").strip()
    return Publisher(server=server, token=token, directory=tmp_path_factory.mktemp("dist"))


@dataclass(frozen=True, kw_only=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str) -> Response:
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    response = connection.getresponse()
    return Response(status=response.status, headers=response.headers, body=response.read())


Connect = Callable[[], http.client.HTTPConnection]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Opens connections and closes them all."""
    with contextlib.ExitStack() as stack:

        def connect() -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            return stack.enter_context(contextlib.closing(connection))

        yield connect


def workers_of(server: Server, request_ids: set[str]) -> set[int]:
    """The processes that answered, from the access log."""
    lines = server.wait_for_answers(*request_ids)
    return {line["pid"] for line in lines if line.get("request_id") in request_ids and "status" in line}


def file_path(connection: http.client.HTTPConnection, name: str) -> str:
    (file,) = json.loads(ask(connection, f"/simple/{name}/", Accept=JSON).body)["files"]
    return str(file["url"]).removeprefix("../..")


def test_both_workers_show_a_release_as_soon_as_it_was_accepted(
    publisher: Publisher, connect: Connect
) -> None:
    name = f"fresh-{secrets.token_hex(4)}"
    # Kept open side by side: with this many, both workers hold some of them.
    connections = [connect() for _ in range(24)]
    ids: set[str] = set()
    for number in range(4):
        publisher.publish(name, f"1.{number}")
        for connection in connections:
            page = ask(connection, f"/simple/{name}/", Accept=JSON)
            listed = ask(connection, "/simple/", Accept=JSON)
            ids.add(page.headers["X-Request-ID"])
            assert json.loads(page.body)["versions"][-1] == f"1.{number}"
            serials = {entry["name"]: entry["_last-serial"] for entry in json.loads(listed.body)["projects"]}
            assert serials[name] == json.loads(page.body)["meta"]["_last-serial"]
    assert len(workers_of(publisher.server, ids)) == 2


def test_a_known_page_costs_one_304_until_it_changes(publisher: Publisher, connect: Connect) -> None:
    name = f"known-{secrets.token_hex(4)}"
    publisher.publish(name, "1.0")
    connection = connect()
    tag = ask(connection, f"/simple/{name}/", Accept=JSON).headers["ETag"]

    again = ask(connection, f"/simple/{name}/", Accept=JSON, If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    publisher.publish(name, "1.1")
    assert ask(connection, f"/simple/{name}/", Accept=JSON, If_None_Match=tag).status == 200


def test_files_and_their_parts_arrive_whole_over_one_connection(
    publisher: Publisher, connect: Connect
) -> None:
    name = f"parts-{secrets.token_hex(4)}"
    data = publisher.publish(name, "1.0", filler=1_000_000).read_bytes()
    connection = connect()
    path = file_path(connection, name)

    for header, first, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=1000-300000", 1000, 300_001),
        ("bytes=-500", len(data) - 500, len(data)),
        (f"bytes={len(data) - 1}-", len(data) - 1, len(data)),
    ):
        part = ask(connection, path, Range=header)
        assert (part.status, part.headers["Content-Length"]) == (206, str(end - first))
        assert part.body == data[first:end]
    assert ask(connection, path, Range=f"bytes={len(data)}-").status == 416
    assert ask(connection, path, "HEAD").headers["Content-Length"] == str(len(data))
    whole = ask(connection, path)
    assert hashlib.sha256(whole.body).digest() == hashlib.sha256(data).digest()
    metadata = ask(connection, f"{path}.metadata")
    assert metadata.body.startswith(b"Metadata-Version:")


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    """A thread stays with a connection for a moment: nothing that was sent may be lost there."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        ahead = "".join(
            f"GET /simple/missing-{number}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Connection: {'close' if number == 4 else 'keep-alive'}\r\n\r\n"
            for number in range(5)
        )
        sock.sendall(ahead.encode())
        received = b""
        while block := sock.recv(65536):
            received += block
    assert received.count(b"HTTP/1.1 404 Not Found") == 5
    assert received.count(b"Connection: close") == 1


def test_more_connections_than_threads_are_all_answered(connect: Connect) -> None:
    connections = [connect() for _ in range(60)]
    for _ in range(3):
        for connection in connections:
            connection.request("GET", "/simple/missing/")
        for connection in connections:
            response = connection.getresponse()
            response.read()
            assert response.status == 404


def test_a_forged_host_bends_no_address(publisher: Publisher, connect: Connect) -> None:
    name = f"host-{secrets.token_hex(4)}"
    publisher.publish(name, "1.0")
    for path in (f"/simple/{name}/", f"/pypi/{name}/json", "/simple/"):
        page = ask(connect(), path, Host="evil.example", X_Forwarded_Host="evil.example")
        assert b"evil.example" not in page.body
        assert "evil.example" not in str(page.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/files/../../db.sqlite3",
        "/files/%2e%2e/%2e%2e/db.sqlite3",
        "/files/aa/bb/" + "c" * 60 + "/..%2f..%2f..%2fkeyring.json",
        "/files//etc/passwd",
        "/simple/..%2f..%2fkeyring.json",
        "/simple/%00/",
        "/simple/%ff%fe/",
    ],
)
def test_no_path_leaves_the_index(connect: Connect, path: str) -> None:
    assert ask(connect(), path).status == 404


def test_a_page_in_memory_is_the_same_from_the_loop_and_from_a_thread(publisher: Publisher) -> None:
    name = f"loop-{secrets.token_hex(4)}"
    publisher.publish(name, "1.0")
    path = f"/simple/{name}/"
    plain = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n".encode()
    odd = plain.replace(b"Host: x", b"Host:  x")
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for request in [odd, plain] * 8:
        with socket.create_connection(("127.0.0.1", publisher.server.port), timeout=60) as sock:
            for _ in range(2):
                sock.sendall(request)
                response = http.client.HTTPResponse(sock)
                response.begin()
                own = {"Server", "Date", "X-Request-ID"}
                headers = sorted((key, value) for key, value in response.getheaders() if key not in own)
                # Only gunicorn's own answers name it.
                by_loop = response.getheader("Server") is None
                assert not (by_loop and request is odd)
                found[by_loop].add(repr((response.status, headers, response.read())))
    on_sqlite = "SEALSTEAD_DATABASE_URL" not in publisher.server.environment
    assert len(found[False]) == 1
    assert found[True] == (found[False] if on_sqlite else set())


def test_a_reader_that_stops_in_the_middle_of_a_page_gets_the_rest_later(
    publisher: Publisher, connect: Connect
) -> None:
    """More than the socket holds: the loop must neither wait nor lose the rest."""
    name = f"slow-{secrets.token_hex(4)}"
    publisher.publish(name, "1.0")
    asked = 3000
    request = f"GET /simple/{name}/ HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n".encode()
    whole = ask(connect(), f"/simple/{name}/", Accept="text/html").body
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(60)
        sock.connect(("127.0.0.1", publisher.server.port))
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(lambda: [sock.sendall(request) for _ in range(asked)])
            # Until its own buffer is full the server answers; others are served all the same.
            assert ask(connect(), f"/simple/{name}/", Accept="text/html").body == whole
            data = b""
            seen = 0
            while seen < asked and (block := sock.recv(65536)):
                data += block
                seen += data.count(whole, max(0, len(data) - len(block) - len(whole) + 1))
            sending.result()
    assert data.count(whole) == asked
    assert data.count(b"HTTP/1.1 200 OK") == asked


def test_clients_that_never_finish_a_head_keep_nobody_waiting(publisher: Publisher, connect: Connect) -> None:
    """More of them than both workers have threads; then one finishes, byte by byte."""
    name = f"held-{secrets.token_hex(4)}"
    publisher.publish(name, "1.0")
    head = f"GET /simple/{name}/ HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", publisher.server.port), timeout=60))
            for _ in range(40)
        ]
        for sock in slow:
            sock.sendall(head[:30])
        for _ in range(10):
            assert ask(connect(), "/health/ready").status == 200
            assert ask(connect(), f"/simple/{name}/").status == 200
        for byte in head[30:]:
            slow[7].sendall(bytes([byte]))
        response = http.client.HTTPResponse(slow[7])
        response.begin()
        assert (response.status, name in response.read().decode()) == (200, True)
