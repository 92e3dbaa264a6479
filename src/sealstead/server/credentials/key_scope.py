"""What an API key may do: its roles, and what its owner has narrowed it to. Stored in `Credential.scope`.

Certificates are granted to accounts, so a key never adds to what its owner may sign with. Narrowing takes away:

  * labels: only certificates of these labels (`normal_label` tells which are the same);
  * networks: only requests from these, in CIDR notation;
  * rate: so many requests a second, minute, hour or day, over all workers.

Nothing narrowed is `None`; an empty list would read like it, so there is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from sealstead.server.credentials.key_errors import InvalidKeyRolesError, InvalidNarrowingError

MAX_LABELS = 50
MAX_NETWORKS = 50
MAX_LABEL_CHARS = 100

_RATE = re.compile(r"([1-9][0-9]{0,5})/([smhd])", re.ASCII)
_WINDOWS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class Role(StrEnum):
    STANDARD = "Standard"
    """May sign with the certificates of its owner."""
    API_KEY_ROTATOR = "ApiKeyRotator"
    """May make its own successor."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    text: str
    requests: int
    window: timedelta


@dataclass(frozen=True, kw_only=True)
class KeyScope:
    roles: frozenset[Role]
    labels: tuple[str, ...] | None = None
    """As typed; compared by `normal_label`."""
    networks: tuple[IPv4Network | IPv6Network, ...] | None = None
    rate: Rate | None = None

    def allows_label(self, label: str) -> bool:
        return self.labels is None or normal_label(label) in {normal_label(one) for one in self.labels}

    def allows_address(self, ip: str | None) -> bool:
        if self.networks is None:
            return True
        address = _plain_address(ip)
        return address is not None and any(address in network for network in self.networks)


def key_scope(
    *,
    roles: Iterable[str],
    labels: Sequence[str] = (),
    networks: Sequence[str] = (),
    rate: str = "",
) -> KeyScope:
    """Return what people picked; blanks and empty lists narrow nothing.

    Raises:
        InvalidKeyRolesError, InvalidNarrowingError: it cannot be read.
    """
    try:
        picked = frozenset(map(Role, roles))
    except ValueError:
        raise InvalidKeyRolesError(
            "no such role", hint=f"choose among {' and '.join(sorted(Role))}"
        ) from None
    if not picked:
        raise InvalidKeyRolesError(
            "an API key needs a role", hint=f"choose {' or '.join(sorted(Role))}, or both"
        )
    return KeyScope(
        roles=picked,
        labels=_labels(labels),
        networks=_networks(networks),
        rate=parse_rate(rate) if rate.strip() else None,
    )


def scope_document_of(scope: KeyScope) -> dict[str, Any]:
    """Return what the row holds."""
    document: dict[str, Any] = {"roles": sorted(scope.roles)}
    if scope.labels is not None:
        document["labels"] = list(scope.labels)
    if scope.networks is not None:
        document["networks"] = [str(network) for network in scope.networks]
    if scope.rate is not None:
        document["rate"] = scope.rate.text
    return document


def read_scope(document: dict[str, Any]) -> KeyScope:
    """Return what `scope_document_of` wrote."""
    return key_scope(
        roles=document["roles"],
        labels=document.get("labels", ()),
        networks=document.get("networks", ()),
        rate=document.get("rate", ""),
    )


def parse_rate(text: str) -> Rate:
    """
    Raises:
        InvalidNarrowingError: not such a thing as `60/m`.
    """
    settled = text.strip().lower().replace(" ", "")
    match = _RATE.fullmatch(settled)
    if match is None:
        raise InvalidNarrowingError(
            f"{text[:40]!r} is not a rate",
            hint="write for example 60/m: requests a second, minute, hour or day",
        )
    return Rate(text=settled, requests=int(match[1]), window=_WINDOWS[match[2]])


def normal_label(label: str) -> str:
    """Return what labels are compared by: case and the encoding of accents do not tell two apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", label.strip()).casefold())


def _labels(labels: Sequence[str]) -> tuple[str, ...] | None:
    settled = {normal_label(label): label.strip() for label in labels if label.strip()}
    if len(settled) > MAX_LABELS or any(len(label) > MAX_LABEL_CHARS for label in settled.values()):
        raise InvalidNarrowingError(
            f"a key is narrowed to at most {MAX_LABELS} labels of {MAX_LABEL_CHARS} characters"
        )
    if any(not character.isprintable() for label in settled.values() for character in label):
        raise InvalidNarrowingError("a label has only visible characters")
    return tuple(settled[key] for key in sorted(settled)) or None


def _networks(networks: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...] | None:
    found = set()
    for text in networks:
        if not text.strip():
            continue
        try:
            # Not strict: `10.1.2.3/8` is what people copy from an interface, and its meaning is plain.
            found.add(ip_network(text.strip(), strict=False))
        except ValueError:
            raise InvalidNarrowingError(
                f"{text[:60]!r} is not a network", hint="write for example 192.0.2.0/24 or 2001:db8::/48"
            ) from None
    if len(found) > MAX_NETWORKS:
        raise InvalidNarrowingError(f"a key is narrowed to at most {MAX_NETWORKS} networks")
    return (
        tuple(sorted(found, key=lambda one: (one.version, int(one.network_address), one.prefixlen))) or None
    )


def _plain_address(ip: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(ip or "")
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
