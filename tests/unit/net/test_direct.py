"""Connections of our own: kept open, and nothing is smuggled into them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sealstead.net.direct import DirectWay, HeaderTextError
from sealstead.net.https_answer import ServerUnreachableError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """Answers each request the same way; `close_after` ends a connection after so many."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.heads: list[bytes] = []
        self.close_after = 1000
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connected, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with connected:
                for _ in range(self.close_after):
                    head = b""
                    while b"\r\n\r\n" not in head and (part := connected.recv(65536)):
                        head += part
                    if not head:
                        break
                    self.heads.append(head)
                    connected.sendall(ANSWER)


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    with running.socket:
        yield running
        running.socket.shutdown(socket.SHUT_RDWR)  # `close` alone would leave the thread where it waits
        running.thread.join(60)


def way(listener: Listener, path: str = "", seconds: float = 60) -> DirectWay:
    port = listener.socket.getsockname()[1]
    return DirectWay(
        f"http://localhost:{port}{path}",
        "127.0.0.1",
        port,
        context=None,
        connect_seconds=60,
        seconds=seconds,
        max_bytes=100,
    )


def test_a_connection_is_used_again(listener: Listener) -> None:
    used = way(listener, "/base")
    for _ in range(3):
        assert used.send("GET", "/x", {"A": "b"}, None).body == b"ok"
    used.close()
    assert listener.connections == 1
    port = listener.socket.getsockname()[1]
    assert listener.heads[0] == f"GET /base/x HTTP/1.1\r\nHost: localhost:{port}\r\nA: b\r\n\r\n".encode()


def test_one_that_the_server_closed_is_not(listener: Listener) -> None:
    listener.close_after = 1
    used = way(listener)
    for number in range(3):
        assert used.send("POST", "", {}, b"body").status == 200
        # Until the end of the connection has arrived here.
        assert select.select([used._kept[0][0]], [], [], 60)[0]
        assert listener.connections == number + 1
    used.close()


def test_a_connection_that_comes_too_late_is_none(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.create_connection

    def slow(*where: Any, **more: Any) -> socket.socket:
        connected = real(*where, **more)
        time.sleep(0.06)
        return connected

    monkeypatch.setattr(socket, "create_connection", slow)
    with pytest.raises(ServerUnreachableError, match=r"no complete answer within 0\.05 seconds"):
        way(listener, seconds=0.05).send("GET", "", {}, None)


@pytest.mark.parametrize(
    ("path", "value"),
    [("/", "a\r\nX-Evil: 1"), ("/x HTTP/1.1\r\n\r\n", "a"), ("/", "schlüssel"), ("/", "a\0b")],
)
def test_a_line_end_begins_no_other_header(listener: Listener, path: str, value: str) -> None:
    with pytest.raises(HeaderTextError):
        way(listener).send("GET", path, {"Authorization": value}, None)
    assert listener.connections == 0
