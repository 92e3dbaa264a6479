"""One connection of HTTP/1.1: send a request, read one answer, within a deadline and a number of bytes."""

from __future__ import annotations

import socket
import struct
import sys
import time
from typing import NamedTuple

from sealstead.errors import UpstreamError
from sealstead.formats.http_response import MAX_HEAD_BYTES, Body, Head, MalformedResponseError, parse_head

_AT_A_TIME = 64 * 1024
_A_MOMENT_SECONDS = 0.05
_SYSTEM_WAITS = sys.platform == "linux" and sys.maxsize > 1 << 32
"""Whether a socket takes its own time-out as two words of 64 bits."""
_FRAMING_ALLOWANCE = 256 * 1024
"""How much more than the body may arrive: sizes of chunks, trailers, and what compresses badly."""


class UnreachableError(UpstreamError):
    """A server cannot be reached, does not answer in time, or does not speak HTTP."""

    code = "unreachable"


class StaleConnectionError(UnreachableError):
    """A connection kept open was closed by the server before it answered: to be tried anew."""

    code = "stale-connection"


class Deadline:
    """A moment after which nothing of one fetch goes on, whatever trickles in until then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._end

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            UnreachableError: none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise UnreachableError(f"no complete answer within {self.seconds:g} seconds")
        return left


class Answer(NamedTuple):
    head: Head
    body: bytes
    complete: bool
    """False when the body is longer than it may be: `body` holds its beginning."""


class Connection:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._patience = 0.0
        self._used = False
        self.reusable = True

    def close(self) -> None:
        self.reusable = False
        self._socket.close()

    def ask(self, request: bytes, *, max_bytes: int, deadline: Deadline) -> Answer:
        """Send `request` and return the answer.

        Raises:
            UnreachableError: the connection breaks, takes too long, or carries something else than HTTP.
        """
        again, self._used = self._used, True
        self.reusable = False
        try:
            self._limit(deadline)
            self._socket.sendall(request)
            head, rest = self._head(deadline, again=again)
            answer, clean = self._body(head, rest, max_bytes, deadline)
        except (TimeoutError, BlockingIOError) as exc:
            raise UnreachableError(f"no complete answer within {deadline.seconds:g} seconds") from exc
        except OSError as exc:
            kind = StaleConnectionError if again else UnreachableError
            raise kind(f"the connection broke: {exc.strerror or exc}") from exc
        except MalformedResponseError as exc:
            raise UnreachableError(exc.message) from exc
        self.reusable = clean and answer.complete and head.keeps_open
        return answer

    def _head(self, deadline: Deadline, *, again: bool) -> tuple[Head, bytes]:
        data = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                head = parse_head(data[:end])
                data = data[end + 4 :]
                if head.status >= 200:  # noqa: PLR2004 - below are interim answers (RFC 9110, section 15.2)
                    return head, data
                continue
            if len(data) > MAX_HEAD_BYTES:
                raise UnreachableError("the answer's head does not end")
            more = self._receive(deadline)
            if not more:
                if again and not data:
                    raise StaleConnectionError("the server closed the connection")
                raise UnreachableError("the server closed the connection without an answer")
            data += more

    def _body(self, head: Head, rest: bytes, max_bytes: int, deadline: Deadline) -> tuple[Answer, bool]:
        body = Body(head)
        parts: list[bytes] = []
        # One byte more than is allowed tells a long body from one that just fits.
        room = max_bytes + 1
        arrived = len(rest)
        data = rest
        while room and not body.done:
            if data:
                part = body.feed(data, most=room)
                parts.append(part)
                room -= len(part)
                if body.done or not room:
                    break
            data = self._receive(deadline)
            if not data:
                body.end()
                return Answer(head, b"".join(parts), complete=True), False
            arrived += len(data)
            if arrived > max_bytes + _FRAMING_ALLOWANCE:
                break
        whole = b"".join(parts)
        complete = body.done and len(whole) <= max_bytes
        return Answer(head, whole[:max_bytes], complete=complete), body.clean

    def _receive(self, deadline: Deadline) -> bytes:
        self._limit(deadline)
        return self._socket.recv(_AT_A_TIME)

    def _limit(self, deadline: Deadline) -> None:
        """Let the next step end with the deadline, or a moment after it: each change is a call of the system's."""
        left = deadline.left()
        if left <= self._patience <= left + _A_MOMENT_SECONDS:
            return
        self._patience = left + _A_MOMENT_SECONDS / 2
        if not _SYSTEM_WAITS or type(self._socket) is not socket.socket:
            self._socket.settimeout(self._patience)
            return
        # With a time-out of its own, Python asks before each step whether it could be done, and lets go of the lock of
        # the interpreter for that too: among several threads it is half of the time of a fetch.
        self._socket.settimeout(None)
        limit = struct.pack("ll", *divmod(int(self._patience * 1_000_000), 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
