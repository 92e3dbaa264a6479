"""Which addresses may be dialled: the public internet, and nothing that only this machine or its network can reach.

Whoever wrote a profile chooses the URLs that its readers fetch. Without this check a line in somebody's profile would
make each reader's machine ask its own router, its cloud's metadata service or a data base for something.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
from typing import TYPE_CHECKING

from sealstead.errors import UpstreamError

if TYPE_CHECKING:
    # `ipaddress` itself is imported when the first address is judged (`cli/later.py`).
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CARRIERS = (
    ("64:ff9b::/96", 0),  # NAT64 (RFC 6052)
    ("2002::/16", 80),  # 6to4 (RFC 3056)
    ("::/96", 0),  # IPv4-compatible, long deprecated (RFC 4291, section 2.5.5.1)
)
"""IPv6 networks that carry an IPv4 address, and how many bits stand to the right of it."""

_MORE = (
    "192.0.0.0/24",  # of protocols (RFC 6890)
    "192.88.99.0/24",  # relays to 6to4, given up (RFC 7526)
    # NAT64 for local use (RFC 8215): where in it the address of version 4 stands is its network's own affair.
    "64:ff9b:1::/48",
    "2001::/23",  # of protocols, with Teredo
    "3fff::/20",  # documentation (RFC 9637)
    "5f00::/16",  # segment routing (RFC 9602)
)
"""What some versions of Python still call global."""


class PrivateAddressError(UpstreamError):
    """A name leads to an address that is not on the public internet."""

    code = "private-address"


def is_address(text: str) -> bool:
    """Return whether `text` is an address as the system writes one, and not a name. What may be dialled is not said."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def parse_address(text: str) -> Address | None:
    """Return the address that `text` is, or None where it is a name."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Return whether `address` is one that any machine on the internet could reach."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        for network, shift in _CARRIERS:
            if address in _network(network):
                carried = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFF_FFFF)
                return is_public(carried)
        if address.is_site_local:
            return False
    if any(address.version == network.version and address in network for network in map(_network, _MORE)):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@functools.cache
def _network(text: str) -> Network:
    return ipaddress.ip_network(text)


def check_public(host: str, addresses: list[str]) -> None:
    """Refuse a name as soon as one of its addresses is not public: it may be an attempt to slip by.

    Raises:
        PrivateAddressError: which address it was.
    """
    for text in addresses:
        address = parse_address(text)
        if address is None or not is_public(address):
            leads = "" if text == host else f"leads to {text}, which "
            raise PrivateAddressError(
                f"{host} {leads}is not on the public internet",
                hint="--allow-private fetches from such addresses too",
            )
