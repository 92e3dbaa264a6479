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
    answers. Threads that each do a little wait for each other's turn of the interpreter longer than that takes;
  * a short request that waits for a commit and nothing else goes to the one thread of the express lane (`express.py`).
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from sealstead.server.at_hand import Sent, send_at_hand
from sealstead.server.express import Lane
from sealstead.server.plain_request import LOOK_BYTES, PlainPost, environ_of, read_plain

PATIENCE = 60.0
SLOWEST_BYTES = 500
"""Less than any modem; Apache's mod_reqtimeout asks for as much."""
LINGER_MS = 2

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
class _Seen:
    """What has come of a request, and what the express lane reads in it."""

    data: bytes = b""
    post: PlainPost | None = None


_NOT_SEEN = _Seen()


class Worker(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        os.umask(0o077)
        self._lane = Lane(self)
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
        seen = self._look(conn)
        if seen is None:
            return
        if self._answered_at_once(conn, seen.data):
            if conn in self.pending_conns:
                self.pending_conns.remove(conn)
                conn.set_timeout()
                self.keepalived_conns.append(conn)
                self.poller.modify(client, EVENT_READ, partial(self.on_client_socket_readable, conn))
        elif not self._lane.take(conn, seen.post):
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        seen = self._look(conn)
        if (
            seen is not None
            and not self._answered_at_once(conn, seen.data)
            and not self._lane.take(conn, seen.post)
        ):
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

    def _look(self, conn: TConn) -> _Seen | None:
        """Return what there is, if a thread would find a whole head or the end; if not, ask to hear of more.

        What the lane answers has to be there with its body.
        """
        if self.cfg.is_ssl or sys.platform != "linux":
            return _NOT_SEEN
        try:
            data = conn.sock.recv(LOOK_BYTES, socket.MSG_PEEK)
            post = self._lane.read(data)
            wanted = 0
            if post is not None and post.missing:
                wanted = post.length
            elif b"\r\n\r\n" not in data and 0 < len(data) < LOOK_BYTES:
                wanted = len(data) + 1
            before = getattr(conn, "wanted", 0)
            # Readable with less than what was waited for: there is no more to come.
            if wanted and len(data) < before:
                wanted, post = 0, None
            if wanted != before:
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted or 1)
                conn.wanted = wanted
        except OSError:
            return _NOT_SEEN
        return None if wanted else _Seen(data, post)

    def _answered_at_once(self, conn: TConn, data: bytes) -> bool:
        """Answer in this thread, the loop's, or leave everything as it was and return False."""
        if not self.alive or self.cfg.is_ssl:
            return False
        began = time.monotonic()
        request = read_plain(data)
        if request is None:
            return False
        environ = environ_of(*request, conn.client)
        answer = self.wsgi.answer_at_hand(environ)
        if answer is None:
            return False
        try:
            rest = send_at_hand(conn.sock, answer, len(data))
        except OSError:
            # The thread that gets the connection meets the same error, and knows how to end it.
            return False
        conn.answered_at = time.monotonic()
        self.nr += 1
        self.log.access(
            Sent(answer.status, len(answer.body)),
            None,
            environ,
            timedelta(seconds=conn.answered_at - began),
        )
        if rest:
            self.poller.unregister(conn.sock)
            for waiting in (self.pending_conns, self.keepalived_conns):
                if conn in waiting:
                    waiting.remove(conn)
            self.send_later(conn, rest)
        return True

    def wait_for_next(self, conn: TConn) -> None:
        """Let the loop have a connection whose answer has left. A stopping worker keeps it no longer than its others."""
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def send_later(self, conn: TConn, rest: bytes) -> None:
        """Let a thread wait until the client has read on. The loop must not know the connection any more."""

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
        return bool(poller.poll(LINGER_MS)) and self._look(conn) is not None
