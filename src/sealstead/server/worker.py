"""The worker process: gunicorn's thread pool, with patience that ends and a short wait for the next request.

Rules:
  * a client that stops sending or reading is let go after `PATIENCE`, and so is one that has made us wait that long
    for less than `SLOWEST_BYTES` a second, a byte now and then: eight threads are not eight hostages;
  * a thread that has answered waits `LINGER_MS` for the next request of the same connection before it hands the
    connection back. gunicorn's way there and back (main thread, selector, queue, another thread) costs more
    than the answer of the fast read path; installers and load balancers ask again at once;
  * nobody waits for a lingering thread: with work in the queue it goes there first, and it lingers no longer
    than `LINGER_MS` anyway.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

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


class Worker(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        os.umask(0o077)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        if not conn.initialized and not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
        super().enqueue_req(conn)

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
        return bool(poller.poll(LINGER_MS))
