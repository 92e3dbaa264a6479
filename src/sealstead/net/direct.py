"""The way to a server without a proxy: connections of our own, kept open for the next request.

Beside what `https` asks of any way: headers and path are checked before they are sent, for a line end in one of them
would begin another request; and a connection that the server has closed meanwhile is not used again.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sealstead.errors import InputError
from sealstead.net.connection import Connection, Deadline, StaleConnectionError, UnreachableError
from sealstead.net.https_answer import (
    AnswerTooLargeError,
    HttpsAnswer,
    ServerNameError,
    ServerUnreachableError,
    is_plain_text,
    untrusted,
)

if TYPE_CHECKING:
    import ssl

_MOST_KEPT = 8
_BAD_REQUEST = 400


class HeaderTextError(InputError):
    """What was to be sent to a server as a header cannot be one."""

    code = "header-text"


class DirectWay:
    def __init__(
        self,
        url: str,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None,
        connect_seconds: float,
        seconds: float,
        max_bytes: int,
    ) -> None:
        self._url = url
        self._host = host
        self._port = port
        self._context = context
        self._connect_seconds = connect_seconds
        self._seconds = seconds
        self._max_bytes = max_bytes
        # What stands after `//` up to the path is as the person wrote it, port and brackets included.
        self._authority, slash, base = url.partition("://")[2].partition("/")
        self._base = slash + base
        self._lock = threading.Lock()
        self._kept: list[tuple[socket.socket, Connection]] = []

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> HttpsAnswer:
        request = self._request(method, path, headers, body)
        deadline = Deadline(self._seconds)
        connected, connection = self._idle() or self._connect()
        try:
            answer = connection.ask(request, max_bytes=self._max_bytes, deadline=deadline)
        except UnreachableError as exc:
            connection.close()
            if self._context is None and not deadline.passed and not isinstance(exc, StaleConnectionError):
                self._refuse_https()
            raise ServerUnreachableError(f"{self._url} cannot be reached: {exc.message}") from exc
        finally:
            if connection.reusable:
                with self._lock:
                    self._kept.append((connected, connection))
                    old = [self._kept.pop(0) for _ in range(len(self._kept) - _MOST_KEPT)]
            else:
                old = [(connected, connection)]
            for _, one in old:
                one.close()
        if not answer.complete:
            raise AnswerTooLargeError(f"{self._url} answers with more than {self._max_bytes} bytes")
        fields = answer.head.fields
        is_page = "json" not in fields.get("content-type", "")
        if self._context is None and answer.head.status == _BAD_REQUEST and is_page:
            self._refuse_https()  # some servers say that in an answer
        return HttpsAnswer(status=answer.head.status, fields=fields, body=answer.body)

    def close(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, []
        for _, connection in kept:
            connection.close()

    def __del__(self) -> None:
        self.close()

    def _refuse_https(self) -> None:
        from sealstead.net import other_scheme

        if other_scheme.speaks_tls(self._host, self._port):
            raise other_scheme.is_https(self._url)

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        lines = [f"{method} {self._base + path or '/'} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if not all(line.isascii() and line.isprintable() for line in lines):
            raise HeaderTextError(
                "a header holds a character that cannot be sent", hint="look at the API key"
            )
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")

    def _idle(self) -> tuple[socket.socket, Connection] | None:
        """Return a connection that is still open: one on which something waits to be read has been closed."""
        while True:
            with self._lock:
                if not self._kept:
                    return None
                connected, connection = self._kept.pop()
            if not select.select([connected], [], [], 0)[0]:
                return connected, connection
            connection.close()

    def _connect(self) -> tuple[socket.socket, Connection]:
        seconds = min(self._connect_seconds, self._seconds)
        try:
            connected = socket.create_connection((self._host, self._port), timeout=seconds)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connected = self._secured(connected, self._context, seconds)
        except TimeoutError as exc:
            raise ServerUnreachableError(f"{self._url} cannot be reached: no answer in time") from exc
        except socket.gaierror as exc:
            if exc.errno == socket.EAI_AGAIN:
                raise ServerUnreachableError(
                    f"{self._url} cannot be reached: no name server answers"
                ) from exc
            raise ServerNameError(
                f"{self._url} cannot be reached: its name is not known",
                hint="look at the spelling of the address",
            ) from exc
        except OSError as exc:
            raise ServerUnreachableError(f"{self._url} cannot be reached: {exc.strerror or exc}") from exc
        return connected, Connection(connected)

    def _secured(self, connected: socket.socket, context: ssl.SSLContext, seconds: float) -> socket.socket:
        import ssl

        from sealstead.net import other_scheme

        secured = context.wrap_socket(connected, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            secured.settimeout(min(seconds, other_scheme.PATIENCE_SECONDS))
            try:
                secured.do_handshake()
            except TimeoutError:
                # A server of plain HTTP may wait for ever for the end of what it takes for a request.
                if other_scheme.speaks_plain_http(self._host, self._port, self._authority):
                    raise other_scheme.is_plain_http(self._url, self._host) from None
                secured.settimeout(seconds)
                secured.do_handshake()
        except ssl.SSLError as exc:
            secured.close()
            if is_plain_text(exc) and other_scheme.speaks_plain_http(
                self._host, self._port, self._authority, spoke=True
            ):
                raise other_scheme.is_plain_http(self._url, self._host) from exc
            raise untrusted(self._url, exc) from exc
        except BaseException:
            secured.close()
            raise
        return secured
