"""Which addresses may be dialled: the public internet, and nothing that only this machine or its network can reach.

Whoever wrote a profile chooses the URLs that its readers fetch. Without this check a line in somebody's profile would
make each reader's machine ask its own router, its cloud's metadata service or a data base for something.
"""

from __future__ import annotations

import ipaddress

from sealstead.errors import UpstreamError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CARRIERS = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (
        ("64:ff9b::/96", 0),  # NAT64 (RFC 6052)
        ("2002::/16", 80),  # 6to4 (RFC 3056)
        ("::/96", 0),  # IPv4-compatible, long deprecated (RFC 4291, section 2.5.5.1)
    )
)
"""IPv6 networks that carry an IPv4 address, and how many bits stand to the right of it."""

_MORE: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # of protocols (RFC 6890)
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays to 6to4, given up (RFC 7526)
    # NAT64 for local use (RFC 8215): where in it the address of version 4 stands is its network's own affair.
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("2001::/23"),  # of protocols, with Teredo
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637)
    ipaddress.IPv6Network("5f00::/16"),  # segment routing (RFC 9602)
)
"""What some versions of Python still call global."""


class PrivateAddressError(UpstreamError):
    """A name leads to an address that is not on the public internet."""

    code = "private-address"


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
            if address in network:
                carried = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFF_FFFF)
                return is_public(carried)
        if address.is_site_local:
            return False
    if any(address.version == network.version and address in network for network in _MORE):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


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
