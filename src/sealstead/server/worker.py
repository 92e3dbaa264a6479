"""The worker process: gunicorn's thread pool, with patience that ends and a short wait for the next request.

Rules:
  * a client that stops sending or reading is let go after `PATIENCE`, and so is one that has made us wait that long
    for less than `SLOWEST_BYTES` a second, a byte now and then: eight threads are not eight hostages;
  * a thread that has answered waits `LINGER_MS` for the next request of the same connection before it hands the
    connection back. gunicorn's way there and back (main thread, selector, queue, another thread) costs more
    than the answer of the fast read path; installers and load balancers ask again at once;
  * nobody waits for a lingering thread: with work in the queue it goes there first, and it lingers no longer
    than `LINGER_MS` anyway;
  * a connection holds no thread before the head of its request has come, and is closed if that takes too long;
  * the plainest requests (`plain_request.py`) whose answer is in memory never see a thread: the loop that finds them
    answers. Threads that each do a little wait for each other's turn of the interpreter longer than that takes.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from selectors import EVENT_READ
from typing import Any, Protocol

from gunicorn.util import http_date
from gunicorn.workers.gthread import TConn, ThreadWorker

from sealstead.clock import SystemClock
from sealstead.server.plain_request import LOOK_BYTES, environ_of, read_plain, serialize_head

PATIENCE = 60.0
SLOWEST_BYTES = 500
"""Less than any modem; Apache's mod_reqtimeout asks for as much."""
LINGER_MS = 2
_CLOCK = SystemClock()

_KERNEL_PATIENCE = struct.pack("@ll", int(PATIENCE), 0)
"""A `struct timeval`."""


class _PatientMixin:
    """A blocking read or write that gives up after PATIENCE. gunicorn itself waits for ever."""

    settimeout: Callable[[float | None], None]
    _waited = 0.0
    """Seconds spent in `recv` since this request began: our own slowness is not the client's."""
    _received = 0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the socket's own signature
        # gunicorn calls it once before each request.
        self._waited, self._received = 0.0, 0
        self.settimeout(PATIENCE if flag else 0.0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive as the parent does.

        Raises:
            TimeoutError: also when the client has been sending too slowly for too long.
        """
        began = time.monotonic()
        data: bytes = super().recv(buflen, flags)  # type: ignore[misc]
        self._waited += time.monotonic() - began
        self._received += len(data)
        if self._waited > PATIENCE and self._received < self._waited * SLOWEST_BYTES:
            raise TimeoutError("the client sends too slowly")
        return data


class PatientSocket(_PatientMixin, socket.socket):
    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:  # noqa: ANN401 - as its parent
        """Send from the kernel, with the kernel's patience (SO_SNDTIMEO) instead of Python's.

        With Python's, the socket does not block, and a file of 1 MB takes a dozen calls that each send what fits the
        socket's buffer; this way it takes one.

        Raises:
            TimeoutError: the client has read nothing for PATIENCE.
        """
        if count is None:
            return super().sendfile(file, offset, count)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _KERNEL_PATIENCE)
        self.settimeout(None)
        sent = 0
        try:
            while sent < count:
                block = os.sendfile(self.fileno(), file.fileno(), offset + sent, count - sent)
                if block == 0:
                    break
                sent += block
        except BlockingIOError:
            raise TimeoutError("the client stopped reading") from None
        finally:
            self.settimeout(PATIENCE)
        return sent


class PatientTLSSocket(_PatientMixin, ssl.SSLSocket):
    pass


@dataclass(frozen=True, slots=True)
class AnswerAtHand:
    """A whole answer from memory; `headers` include Content-Length."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class AnswersAtHand(Protocol):
    """An application that can also say at once what needs no waiting."""

    def answer_at_hand(self, environ: Mapping[str, Any]) -> AnswerAtHand | None:
        """Return the answer if it takes no disk, network or rendering; None sends the request to a thread."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the access log reads of gunicorn's response."""

    status: str
    sent: int


class Worker(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        os.umask(0o077)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, PatientSocket(fileno=client.detach()), address, listener.getsockname())
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if not self._head_is_here(conn):
            return
        if not self._answered_at_once(conn):
            super().on_pending_socket_readable(conn, client)
        elif conn in self.pending_conns:
            self.pending_conns.remove(conn)
            conn.set_timeout()
            self.keepalived_conns.append(conn)
            self.poller.modify(client, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if self._head_is_here(conn) and not self._answered_at_once(conn):
            super().on_client_socket_readable(conn, client)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's own signature
        # A connection answered at once keeps its place in the queue; its later end is written down here.
        now = time.monotonic()
        while not force and self.alive and self.keepalived_conns:
            conn = self.keepalived_conns[0]
            until = getattr(conn, "answered_at", 0.0) + self.cfg.keepalive
            if conn.timeout > now or until <= now:
                break
            conn.timeout = until
            self.keepalived_conns.rotate(-1)
        super().murder_keepalived(force)

    def _head_is_here(self, conn: TConn) -> bool:
        """Tell whether a thread would find a whole head of a request, or its end; if not, ask to hear of more."""
        if self.cfg.is_ssl or sys.platform != "linux":
            return True
        try:
            data = conn.sock.recv(LOOK_BYTES, socket.MSG_PEEK)
            here = b"\r\n\r\n" in data or len(data) in {0, LOOK_BYTES}
            if here and not getattr(conn, "waits_for_more", False):
                return True
            # The socket is readable again when there is more than now, or no more to come.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if here else len(data) + 1)
            conn.waits_for_more = not here
        except OSError:
            return True
        return here

    def _answered_at_once(self, conn: TConn) -> bool:
        """Answer in this thread, the loop's, or leave everything as it was and return False."""
        if not self.alive or self.cfg.is_ssl:
            return False
        began = time.monotonic()
        try:
            data = conn.sock.recv(LOOK_BYTES, socket.MSG_PEEK)
            request = read_plain(data)
            if request is None:
                return False
            environ = environ_of(*request, conn.client)
            answer = self.wsgi.answer_at_hand(environ)
            if answer is None:
                return False
            head = serialize_head(answer.status, answer.headers, date=_date(int(_CLOCK.now().timestamp())))
            conn.sock.recv(len(data))
            try:
                sent = conn.sock.sendmsg([head, answer.body])
            except BlockingIOError:
                sent = 0
        except OSError:
            # The thread that gets the connection meets the same error, and knows how to end it.
            return False
        conn.answered_at = time.monotonic()
        self.nr += 1
        self.log.access(
            _Sent(answer.status, len(answer.body)),
            None,
            environ,
            timedelta(seconds=conn.answered_at - began),
        )
        if sent < len(head) + len(answer.body):
            self._send_later(conn, (head + answer.body)[sent:])
        return True

    def _send_later(self, conn: TConn, rest: bytes) -> None:
        """Let a thread wait until the client has read on."""
        self.poller.unregister(conn.sock)
        for waiting in (self.pending_conns, self.keepalived_conns):
            if conn in waiting:
                waiting.remove(conn)

        def send() -> bool:
            conn.init()  # finish_request looks into the parser
            conn.sock.settimeout(PATIENCE)
            conn.sock.sendall(rest)
            return True

        def done(future: Future[bool]) -> None:
            self.method_queue.defer(self.finish_request, conn, future)

        self.tpool.submit(send).add_done_callback(done)

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn's own protocol: keep, close or defer
        result = super().handle(conn)
        while result is True and self._asks_again(conn):
            result = super().handle(conn)
        return result

    def _asks_again(self, conn: TConn) -> bool:
        if not self.alive or conn.is_http2:
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        if self.tpool._work_queue.qsize():  # noqa: SLF001 - there is no public way to see who waits
            return False
        if isinstance(conn.sock, ssl.SSLSocket) and conn.sock.pending():
            return True
        poller = select.poll()
        poller.register(conn.sock, select.POLLIN)
        return bool(poller.poll(LINGER_MS)) and self._head_is_here(conn)


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return str(http_date(second))
