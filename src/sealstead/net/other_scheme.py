"""Tells whether a server speaks the other one of HTTP and HTTPS than its address says.

Asked on a connection of its own, and only when the right one brought no answer: what is sent here holds no credential.
"""

from __future__ import annotations

import socket

from sealstead.net.https_answer import WrongSchemeError
from sealstead.net.server_address import is_loopback

PATIENCE_SECONDS = 0.7
"""How long a server may be silent before it is asked in the other way. One that only is slow is waited for all the same."""
_MOST_SECONDS = 1.0


def speaks_plain_http(host: str, port: int, authority: str, *, spoke: bool = False) -> bool:
    """`authority`: host and port as the address has them. `spoke`: it answered a handshake with plain text already.

    Only then is a 400 a proof: servers of HTTPS say with it, in plain HTTP, that they are none of plain HTTP.
    """
    try:
        with socket.create_connection((host, port), timeout=_MOST_SECONDS) as connected:
            connected.sendall(f"HEAD / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
            head = connected.recv(len("HTTP/1.1 400"), socket.MSG_WAITALL)
    except (OSError, ValueError):
        return False
    return head.startswith(b"HTTP/") and (spoke or not head.endswith(b" 400"))


def speaks_tls(host: str, port: int) -> bool:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: whoever answers in TLS answers in TLS
    try:
        with (
            socket.create_connection((host, port), timeout=_MOST_SECONDS) as connected,
            context.wrap_socket(connected, server_hostname=host),
        ):
            return True
    except ssl.SSLError as exc:
        # An alert is an answer in TLS too; plain text is what OpenSSL calls a wrong version number.
        return exc.reason is not None and "ALERT" in exc.reason
    except (OSError, ValueError):
        return False


def is_plain_http(url: str, host: str) -> WrongSchemeError:
    """Return the error for an https:// address whose server answers in plain HTTP."""
    plain = f"http://{url.partition('://')[2]}"
    hint = f"write {plain}" if is_loopback(host) else "HTTPS has another port there, or is not set up"
    return WrongSchemeError(f"{url} answers in plain HTTP, not in HTTPS", hint=hint)


def is_https(url: str) -> WrongSchemeError:
    """Return the error for an http:// address whose server wants HTTPS."""
    return WrongSchemeError(f"{url} answers in HTTPS only", hint=f"write https://{url.partition('://')[2]}")
