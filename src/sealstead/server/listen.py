"""The listening socket: bound before anything else is done, so that a busy port is one clear line at once."""

from __future__ import annotations

import errno
import socket

from sealstead.errors import ConflictError, InputError

_BACKLOG = 2048


class PortBusyError(ConflictError):
    """Something else listens on this address and port."""

    code = "port-busy"


class CannotListenError(InputError):
    """The address is not this machine's, or the port is not for this user."""

    code = "cannot-listen"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; 0 lets the system choose a port.

    Raises:
        PortBusyError: somebody else listens there.
        CannotListenError: no such address here, or not allowed.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as exc:
        raise CannotListenError(f"cannot listen on {where}: {host} is no address of this machine") from exc
    sock = socket.socket(family, kind, protocol)
    try:
        # Connections of a server that just ended do not block its successor; a listening one still does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as exc:
        sock.close()
        raise _refused(where, exc) from exc
    return sock


def _refused(where: str, exc: OSError) -> PortBusyError | CannotListenError:
    match exc.errno:
        case errno.EADDRINUSE:
            return PortBusyError(
                f"cannot listen on {where}: the port is in use",
                hint="choose another with --port, or stop what listens there",
            )
        case errno.EACCES:
            return CannotListenError(
                f"cannot listen on {where}: not allowed",
                hint="choose a port from 1024 on, and put a reverse proxy before it",
            )
        case errno.EADDRNOTAVAIL:
            return CannotListenError(
                f"cannot listen on {where}: no such address on this machine",
                hint="--host 127.0.0.1 is this machine alone, --host 0.0.0.0 every network",
            )
        case _:
            return CannotListenError(f"cannot listen on {where}: {exc.strerror}")
