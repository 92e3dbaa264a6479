"""The worker process: gunicorn's thread pool, with patience that ends and a short wait for the next request.

Rules:
  * a thread waits for a client no longer than `patience.py` says;
  * a new connection is the worker's that has the fewest (`balance.py`);
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
import signal
import socket
import ssl
import sys
import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from sealstead.server.at_hand import Sent, send_at_hand
from sealstead.server.balance import STAND_BACK_SECONDS, ConnectionCounts
from sealstead.server.express import Lane
from sealstead.server.patience import PATIENCE, PatientSocket
from sealstead.server.plain_request import LOOK_BYTES, PlainPost, environ_of, read_plain

LINGER_MS = 2
_STAND_BACK_STEP_SECONDS = 0.0001


@dataclass(frozen=True, slots=True)
class _Seen:
    """What has come of a request, and what the express lane reads in it."""

    data: bytes = b""
    post: PlainPost | None = None


_NOT_SEEN = _Seen()


class Worker(ThreadWorker):  # type: ignore[misc]
    counts = ConnectionCounts()
    """Of the workers of this supervisor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # In the supervisor, before the fork.
        self._slot = self.counts.claim()
        self._connections = 0
        self._stood_back = 0.0
        super().__init__(*args, **kwargs)

    @property
    def nr_conns(self) -> int:
        """What gunicorn counts."""
        return self._connections

    @nr_conns.setter
    def nr_conns(self, count: int) -> None:
        self._connections = count
        self._tell()

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's
        super().set_accept_enabled(enabled)
        self._tell()

    def _tell(self) -> None:
        if getattr(self, "_accepting", False):
            self.counts.tell(self._slot, self._connections)
        else:
            self.counts.close(self._slot)

    def ended(self) -> None:
        """Run by the supervisor."""
        self.counts.release(self._slot)

    def init_process(self) -> None:
        os.umask(0o077)
        self._lane = Lane(self)
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        # The supervisor blocked them before the fork.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.SIGNALS)

    def accept(self, listener: socket.socket) -> None:
        if self._leaves_it_to_others():
            return
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, PatientSocket(fileno=client.detach()), address, listener.getsockname())
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _leaves_it_to_others(self) -> bool:
        """Tell whether another worker should have the connection; the listener asks again at once."""
        if not self.counts.others_have_fewer(self._slot):
            self._stood_back = 0.0
            return False
        now = time.monotonic()
        if not self._stood_back:
            self._stood_back = now
        if now - self._stood_back > STAND_BACK_SECONDS:
            self._stood_back = 0.0
            return False
        # Long enough for the other one to wake and take it, short for whoever waits here.
        time.sleep(_STAND_BACK_STEP_SECONDS)
        return True

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
