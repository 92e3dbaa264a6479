"""The end of patience: nothing goes on after the deadline, whatever trickles in."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sealstead.net import connection
from sealstead.net.connection import Connection, Deadline, UnreachableError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(params=[True, False], ids=["system", "python"])
def both(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[socket.socket, socket.socket]]:
    monkeypatch.setattr(connection, "_SYSTEM_WAITS", request.param and connection._SYSTEM_WAITS)
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_server_that_says_nothing_is_given_up(both: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(UnreachableError, match=r"no complete answer within 0\.05 seconds"):
        Connection(both[0]).ask(b"GET", max_bytes=10, deadline=Deadline(0.05))


def test_a_server_that_stops_in_the_middle_is_given_up(both: tuple[socket.socket, socket.socket]) -> None:
    both[1].sendall(ANSWER[:-1])
    with pytest.raises(UnreachableError, match="no complete answer"):
        Connection(both[0]).ask(b"GET", max_bytes=10, deadline=Deadline(0.05))


def test_a_server_that_reads_nothing_is_given_up(both: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(UnreachableError, match="no complete answer"):
        Connection(both[0]).ask(bytes(1 << 24), max_bytes=10, deadline=Deadline(0.05))


def test_the_next_request_has_its_own_deadline(both: tuple[socket.socket, socket.socket]) -> None:
    kept = Connection(both[0])
    for seconds in (60, 30, 90):
        both[1].sendall(ANSWER)
        assert kept.ask(b"GET", max_bytes=10, deadline=Deadline(seconds)).body == b"ok"
    with pytest.raises(UnreachableError, match=r"within 0\.05 seconds"):
        kept.ask(b"GET", max_bytes=10, deadline=Deadline(0.05))
