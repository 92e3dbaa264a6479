"""Who is asking, over which scheme and host: what a proxy says counts only if the operator trusts that proxy.

Rules:
  * without `trusted_proxies`, or from an address outside them, every forwarded header counts for nothing;
  * `X-Forwarded-For` is read from the right, where the trusted proxies wrote: the first address that is not a
    trusted proxy is the client. What stands left of it was written by the client and is ignored;
  * scheme and host are those that the nearest proxy, the one connected to us, wrote last;
  * an inbound request id is taken over from a trusted proxy alone, and only in a shape that is safe in a log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

REQUEST_ID_KEY = "sealstead.request_id"
"""Where the request id stands in a WSGI environment once it is chosen."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,36}", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The client as far as it is believed. Scheme and host are None where the connection itself tells."""

    ip: str | None
    scheme: str | None
    host: str | None
    trusted: bool
    """Whether the connection comes from a trusted proxy."""


def peer_of(environ: Mapping[str, Any], trusted: Sequence[Network]) -> Peer:
    """Return who sent the request of this WSGI environment."""
    text = str(environ.get("REMOTE_ADDR", ""))
    if not trusted and text and ":" not in text:
        return Peer(ip=text, scheme=None, host=None, trusted=False)  # the common case, without parsing
    connected = _address(text)
    ip = str(connected) if connected else None
    if connected is None or not _within(connected, trusted):
        return Peer(ip=ip, scheme=None, host=None, trusted=False)
    scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
    host = _last(environ.get("HTTP_X_FORWARDED_HOST", ""))
    return Peer(
        ip=_client(environ.get("HTTP_X_FORWARDED_FOR", ""), connected, trusted),
        scheme=scheme if scheme in {"http", "https"} else None,
        host=host if _HOST.fullmatch(host) else None,
        trusted=True,
    )


def request_id_of(environ: Mapping[str, Any], peer: Peer) -> str:
    """Return the id already chosen, the one a trusted proxy sent, or a new one."""
    chosen = environ.get(REQUEST_ID_KEY)
    if isinstance(chosen, str):
        return chosen
    sent = str(environ.get("HTTP_X_REQUEST_ID", ""))
    return sent if peer.trusted and _REQUEST_ID.fullmatch(sent) else new_request_id()


def new_request_id() -> str:
    return secrets.token_hex(12)


def _client(header: str, connected: Address, trusted: Sequence[Network]) -> str:
    believed = connected
    for part in reversed(header.split(",")):
        hop = _address(part.strip())
        if hop is None:
            break
        believed = hop
        if not _within(hop, trusted):
            break
    return str(believed)


def _last(header: str) -> str:
    return header.rsplit(",", 1)[-1].strip()


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Parse `192.0.2.1`, `192.0.2.1:1234`, `::1`, `[::1]` or `[::1]:1234`; a mapped IPv4 address becomes IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
