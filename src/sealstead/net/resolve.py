"""From a name to addresses, with a time-out that the system's resolver does not have."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from sealstead.errors import UpstreamError
from sealstead.net.addresses import is_address

Lookup = Callable[[str, int], list[str]]
"""Answers a host and a port with addresses; raises OSError."""


class UnknownHostError(UpstreamError):
    """No address is known for a name, or none was told in time."""

    code = "unknown-host"


def system_lookup(host: str, port: int) -> list[str]:
    """Ask the system, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve(lookup: Lookup, host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of `host`.

    Raises:
        UnknownHostError: there are none, or `seconds` were not enough.
    """
    if is_address(host):
        return [host]
    import queue  # for names, which few are looked up

    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(lookup(host, port))
        except (OSError, UnicodeError) as exc:
            answers.put(exc)

    # The system's call cannot be interrupted. A daemon thread may be left behind in it; nothing waits for one.
    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty as exc:
        raise UnknownHostError(f"looking up {host} took too long") from exc
    if isinstance(answer, Exception) or not answer:
        raise UnknownHostError(f"no address is known for {host}")
    return answer
