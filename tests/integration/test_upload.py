"""Uploads to a real server: what cannot be shown inside one process."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conftest import new_database
from tests.factories import make_wheel
from tests.server_process import Server, start_server
from tests.uploads import BOUNDARY, CLOSING, CONTENT_TYPE, body_of, form_of, part, parts_of, send

pytestmark = pytest.mark.database

MB = 1024 * 1024


def rows(server: Server, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask the server's database, of either kind."""
    url = server.environment.get("SEALSTEAD_DATABASE_URL")
    if url:
        import psycopg

        with psycopg.connect(url) as database:
            return list(database.execute(statement.replace("?", "%s"), values).fetchall())  # type: ignore[arg-type]
    database = sqlite3.connect(server.data_dir / "db.sqlite3", timeout=20)
    try:
        return list(database.execute(statement, values).fetchall())
    finally:
        database.close()


def files_called(server: Server, filename: str) -> int:
    return len(rows(server, "SELECT 1 FROM index_file WHERE filename = ?", filename))


def incoming(server: Server) -> list[Path]:
    directory = server.data_dir / "blobs" / "incoming"
    return list(directory.iterdir()) if directory.exists() else []


def wait_until(fact: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def make_account(server: Server, name: str) -> str:
    """An account's token for all its projects."""
    server.admin(
        "create-user", name, "--email", f"{name}@example.org", "--password-stdin", stdin="correct horse battery\n"
    )  # fmt: skip
    return server.admin("create-token", "--user", name, "--name", "ci", "--all-projects").strip()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return make_account(server, "uploader")


@pytest.fixture
def own_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that this test may kill."""
    environment = {}
    if request.config.getoption("--database") == "postgres":
        environment["SEALSTEAD_DATABASE_URL"] = new_database()
    running = start_server(tmp_path / "data", environment=environment)
    yield running
    if running.process.poll() is None:
        running.stop()


def begin(server: Server, token: str, head: bytes, length: int) -> socket.socket:
    """Send the beginning of an upload and return the connection."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(
        f"POST /legacy/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n\r\n".encode()
        + head
    )
    return connection


def test_eight_clients_send_the_same_file(server: Server, token: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "parallel-same", "1.0")
    body = body_of(path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(server.port, body, token), range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert sorted(answer.text for answer in answers) == (
        [f"{path.name}: already there, nothing done\n"] * 7 + [f"{path.name}: stored\n"]
    )
    assert files_called(server, path.name) == 1
    assert len(rows(server, "SELECT 1 FROM index_project WHERE normalized_name = ?", "parallel-same")) == 1
    uploaded = "SELECT 1 FROM audit_event WHERE tag = 'file:uploaded' AND project = ?"
    assert len(rows(server, uploaded, "parallel-same")) == 1


def test_eight_clients_send_other_content_under_one_name(server: Server, token: str, tmp_path: Path) -> None:
    bodies = []
    for number in range(8):
        path = make_wheel(tmp_path, "parallel-other", "1.0", files={"m.py": b"%d" % number})
        bodies.append(body_of(path))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: send(server.port, body, token), bodies))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    refused = [answer for answer in answers if answer.status == 400]
    assert all(answer.reason.startswith("File already exists (") for answer in refused)
    assert files_called(server, path.name) == 1


def test_eight_clients_send_eight_files_of_a_new_project(server: Server, token: str, tmp_path: Path) -> None:
    bodies = [body_of(make_wheel(tmp_path, "parallel-new", f"1.{number}")) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: send(server.port, body, token), bodies))
    assert [answer.status for answer in answers] == [200] * 8
    count = """SELECT 1 FROM index_file f JOIN index_release r ON r.id = f.release_id
               JOIN index_project p ON p.id = r.project_id WHERE p.normalized_name = ?"""
    assert len(rows(server, count, "parallel-new")) == 8
    serials = rows(server, "SELECT serial FROM index_project WHERE normalized_name = ?", "parallel-new")
    assert serials == rows(server, "SELECT serial FROM index_indexstate")


def test_a_cut_connection_leaves_nothing(server: Server, token: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "cut", "1.0", files={"m.py": os.urandom(600_000)})
    body = body_of(path)
    connection = begin(server, token, body[:400_000], len(body))
    wait_until(lambda: incoming(server))
    connection.close()
    wait_until(lambda: not incoming(server))
    refused = "SELECT code FROM audit_event WHERE tag = 'file:refused' AND project = 'cut'"
    wait_until(lambda: rows(server, refused))
    assert rows(server, refused) == [("upload-cut",)]
    assert files_called(server, path.name) == 0
    assert rows(server, "SELECT 1 FROM index_project WHERE normalized_name = 'cut'") == []
    # And the same file, whole, is taken.
    assert send(server.port, body, token).status == 200


@pytest.mark.parametrize("announced", [-500, 10_000])
def test_a_wrong_length_is_not_believed(server: Server, token: str, tmp_path: Path, announced: int) -> None:
    path = make_wheel(tmp_path, "forged", "1.0")
    body = body_of(path)
    with begin(server, token, body, len(body) + announced) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer
    assert files_called(server, path.name) == 0


def test_kill_during_an_upload_leaves_no_row(own_server: Server, tmp_path: Path) -> None:
    token = make_account(own_server, "ada")
    path = make_wheel(tmp_path, "killed", "1.0", files={"m.py": os.urandom(600_000)})
    body = body_of(path)
    connection = begin(own_server, token, body[:400_000], len(body))
    wait_until(lambda: incoming(own_server))
    own_server.kill()
    connection.close()
    left = incoming(own_server)
    assert len(left) == 1
    again = start_server(own_server.data_dir, environment=own_server.environment)
    try:
        assert rows(again, "SELECT 1 FROM index_project") == rows(again, "SELECT 1 FROM index_file") == []
        assert "removed 0 blobs and 0 unfinished uploads" in again.admin("collect")
        os.utime(left[0], (0, 0))
        orphan = again.data_dir / "blobs" / "aa" / ("c" * 62)
        orphan.parent.mkdir(parents=True)
        orphan.write_bytes(b"a blob whose row was never committed")
        os.utime(orphan, (0, 0))
        assert send(again.port, body, token).status == 200
        assert "removed 1 blobs and 1 unfinished uploads" in again.admin("collect")
        assert (left[0].exists(), orphan.exists()) == (False, False)
        assert files_called(again, path.name) == 1
        assert again.admin("check") is not None
    finally:
        again.stop()


def test_a_full_disk_is_told_and_nothing_half_written(own_server: Server, tmp_path: Path) -> None:
    token = make_account(own_server, "ada")
    big = body_of(make_wheel(tmp_path, "big", "1.0", files={"m.bin": os.urandom(9 * MB)}))
    small = make_wheel(tmp_path, "small", "1.0")
    workers = [worker.pid for worker in own_server.workers()]
    # The kernel refuses every byte beyond it, as a full disk or a quota would.
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (8 * MB, resource.RLIM_INFINITY))
    answer = send(own_server.port, big, token)
    assert (answer.status, answer.reason) == (507, "The server has no room for this file.")
    assert incoming(own_server) == []
    assert rows(own_server, "SELECT 1 FROM index_file") == []
    assert rows(own_server, "SELECT code FROM audit_event WHERE tag = 'file:refused'") == [("storage-full",)]
    assert send(own_server.port, body_of(small), token).status == 200
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert send(own_server.port, big, token).status == 200


def test_memory_does_not_follow_the_body(own_server: Server, tmp_path: Path) -> None:
    token = make_account(own_server, "ada")
    assert send(own_server.port, body_of(make_wheel(tmp_path, "warm", "1.0")), token).status == 200
    before = peaks(own_server)
    path = make_wheel(tmp_path, "large", "1.0", files={"m.bin": os.urandom(40 * MB)}, compression=0)
    assert send(own_server.port, body_of(path), token).status == 200
    fields = parts_of(form_of(path) | {"version": "2.0"})
    opening, closing = part("content", b"", filename="large-2.0-py3-none-any.whl")[:-2], b"\r\n" + CLOSING
    size = 300 * MB
    block = bytes(MB)
    with begin(own_server, token, fields + opening, len(fields + opening + closing) + size) as connection:
        for _ in range(size // MB):
            connection.sendall(block)
        connection.sendall(closing)
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 400 File too large. Limit for project 'large' is 100 MB.")
    assert incoming(own_server) == []
    for pid, peak in peaks(own_server).items():
        assert peak - before[pid] < 24 * MB


def peaks(server: Server) -> dict[int, int]:
    """Highest resident size of each worker so far, in bytes."""
    found = {}
    for worker in server.workers():
        status = Path(f"/proc/{worker.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        found[worker.pid] = int(line.split()[1]) * 1024
    return found


def test_a_refusal_reaches_a_client_that_is_still_sending(server: Server, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "early", "1.0", files={"m.bin": os.urandom(20 * MB)}, compression=0)
    answer = send(server.port, body_of(path), "pypi-nobody")
    assert answer.status == 403
    assert answer.reason.startswith("Invalid or non-existent authentication information.")


def test_huge_headers_are_refused(server: Server) -> None:
    head = f"POST /legacy/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {'t' * 100_000}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        # The server answers when it has seen too much, and does not wait for the rest.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(f"{head}Content-Length: 1\r\n\r\nx".encode())
        assert connection.makefile("rb").readline().split()[1] in {b"400", b"431"}
    assert send(server.port, b"x", "t").status == 403


def test_the_path_without_its_slash_keeps_the_method(server: Server, token: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "slash", "1.0")
    answer = send(server.port, body_of(path), token, path="/legacy")
    assert (answer.status, answer.headers["Location"]) == (308, f"{server.url}/legacy/")
    assert BOUNDARY not in answer.text
