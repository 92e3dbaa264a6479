"""API keys from the client's side against a real server: stored, asked about, rotated, with answers that get lost."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline import Pipeline
from tests.server_process import Server

BOTH = ("--role", "Standard", "--role", "ApiKeyRotator")


@pytest.fixture(scope="module")
def account(server: Server) -> str:
    name = f"signer-{secrets.token_hex(5)}"
    server.admin(
        "create-user",
        name,
        "--email",
        f"{name}@example.org",
        "--password-stdin",
        stdin="correct horse battery\n",
    )
    return name


@pytest.fixture
def pipeline(tmp_path: Path, server: Server) -> Pipeline:
    return Pipeline(root=tmp_path / "pipeline", environment={"SIGNOTAUR_SERVER": server.url})


def make_key(server: Server, account: str, *options: str) -> str:
    name = f"ci-{secrets.token_hex(4)}"
    return server.admin("create-api-key", "--user", account, "--name", name, *options).strip()


def _request(near: socket.socket) -> bytes:
    """Read one request, in however many parts it comes."""
    asked = b""
    while b"\r\n\r\n" not in asked and (more := near.recv(65_536)):
        asked += more
    head, _, body = asked.partition(b"\r\n\r\n")
    announced = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while announced and len(body) < int(announced[1]) and (more := near.recv(65_536)):
        asked, body = asked + more, body + more
    return asked


@contextlib.contextmanager
def losing_answers(server: Server, *, count: int) -> Iterator[str]:
    """A way to the server on which the answers to the first `count` rotations do not come back."""
    left = [count]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(near: socket.socket) -> None:
            with (
                near,
                socket.create_connection(("127.0.0.1", server.port)) as far,
                contextlib.suppress(OSError),
            ):
                asked = _request(near)
                far.sendall(asked.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                answer = b""
                while more := far.recv(65_536):
                    answer += more
                if b"/rotate" in asked and left[0] > 0:
                    left[0] -= 1
                    return
                near.sendall(answer)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    carry(listener.accept()[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_stored_shown_rotated(pipeline: Pipeline, server: Server, account: str) -> None:
    old = make_key(server, account, *BOTH, "--expires", "30d")
    file = pipeline.key_file
    done = pipeline.good(
        "auth", "set-key", "--from-stdin", "--write-key-file", file, "--verify", stdin=f"{old}\r\n"
    )
    assert f"of {account}" in done.err
    shown = pipeline.good("auth", "status", "--af", file, "--json").json
    assert sorted(shown["roles"]) == ["ApiKeyRotator", "Standard"]
    assert pipeline.run("auth", "status", "--af", file, "--fail-if-expiring-within", "31d").code == 4
    assert pipeline.run("rotate-key", "--af", file, "--wk", file, "--if-expiring-within", "7d").code == 0
    assert file.read_text().strip() == old
    done = pipeline.good("rotate-key", "--af", file, "--wk", file, "--json")
    new = file.read_text().strip()
    assert new != old
    shown = pipeline.good("auth", "status", "--af", file, "--json").json
    assert shown["predecessor"]["uses_since_rotation"] == []
    assert shown["predecessor"]["retires_at"] is not None
    assert "revoked automatically by rotation" in pipeline.good("auth", "status", "-a", old).out
    pipeline.good("rotate-key", "--af", file, "--wk", file, "--overlap-days", "0")
    assert pipeline.run("auth", "status", "-a", new, "--json").error == "api-key-refused"
    assert pipeline.good("auth", "status", "--af", file).code == 0


@pytest.mark.parametrize("overlap", ["0", "7"])
def test_a_lost_answer_locks_nobody_out(
    pipeline: Pipeline, server: Server, account: str, overlap: str
) -> None:
    old = make_key(server, account, *BOTH)
    file = pipeline.store(old)
    line = ("rotate-key", "--af", file, "--wk", file, "--overlap-days", overlap)
    with losing_answers(server, count=1) as url:
        done = pipeline.run(*line, "-s", url, "--rf", "0")
        assert done.code == 5, done.err
        assert file.read_text().strip() == old
    done = pipeline.good(*line)
    assert "brought to its end" in done.err
    new = file.read_text().strip()
    assert pipeline.good("auth", "status", "-a", new, "--json").json["predecessor"] is not None
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_key_without_the_role_stays(pipeline: Pipeline, server: Server, account: str) -> None:
    file = pipeline.store(make_key(server, account))
    done = pipeline.run("rotate-key", "--af", file, "--wk", file, "--json")
    assert (done.code, done.error) == (1, "api-key-not-allowed")
    done = pipeline.good("rotate-key", "--af", file, "--wk", file, "--dry-run")
    assert "lacks the role ApiKeyRotator" in done.err
