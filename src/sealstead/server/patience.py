"""Sockets whose patience ends. gunicorn itself waits for a client for ever.

A client that stops sending or reading is let go after `PATIENCE`, and so is one that has made us wait that long for less than
`SLOWEST_BYTES` a second, a byte now and then: eight threads are not eight hostages.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0
SLOWEST_BYTES = 500
"""Less than any modem; Apache's mod_reqtimeout asks for as much."""

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
