"""What a client asks to have signed, read out of the request: nothing here has been looked up yet.

Every member is known and of its type, or the request is refused: a misspelt `description` that was passed over would be
missing in a signature for ever. The digest is base64 of exactly as many bytes as its algorithm makes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealstead.formats.opus_info import opus_info
from sealstead.server.signing.errors import InvalidItemError, InvalidSignRequestError
from sealstead.server.signing.models import Profile
from sealstead.server.signing.select import Selector, parse_selector

MAX_ITEMS: Final = 256
DIGEST_BYTES: Final = {"SHA256": 32, "SHA384": 48, "SHA512": 64, "BLAKE2b-512": 64}
_SHA: Final = frozenset({"SHA256", "SHA384", "SHA512"})
ALGORITHMS: Final = {
    Profile.AUTHENTICODE: _SHA,
    Profile.CMS_DETACHED: _SHA,
    Profile.MINISIGN: frozenset({"BLAKE2b-512"}),
}
KINDS: Final = {
    Profile.AUTHENTICODE: frozenset({"pe", "powershell"}),
    Profile.CMS_DETACHED: frozenset({"file"}),
    Profile.MINISIGN: frozenset({"file"}),
}
_PROFILES: Final = {profile.value: profile for profile in Profile}
_MEMBERS: Final = frozenset(
    {"label", "thumbprint", "subject", "profile", "algorithm", "description", "description_url", "items"}
)
_ITEM_MEMBERS: Final = frozenset({"kind", "digest", "file_name", "file_size", "file_version"})
_MAX_NAME: Final = 300
_MAX_VERSION: Final = 100
_MAX_SIZE: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One file, as the client describes it. Only `kind` and `digest` are signed; the rest is for the event."""

    kind: str
    digest: bytes
    file_name: str = ""
    file_size: int | None = None
    file_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Order:
    selector: Selector
    profile: Profile
    algorithm: str
    description: str
    description_url: str
    items: tuple[Item, ...]


def parse_order(document: Mapping[str, Any]) -> Order:
    """Return what is asked for.

    Raises:
        InvalidSelectorError, InvalidSignRequestError
        SignatureTextError: a description or address that no signature should carry, and no event either.
        InvalidItemError: names the item.
    """
    unknown = sorted(document.keys() - _MEMBERS)
    if unknown:
        raise InvalidSignRequestError(f"the request has a member that is not known: {unknown[0][:40]!r}")
    selector = parse_selector({name: document.get(name) for name in ("label", "thumbprint", "subject")})
    profile = _profile(document.get("profile"))
    algorithm = document.get("algorithm")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS[profile]:
        raise InvalidSignRequestError(
            f"the algorithm of the profile {profile} is one of {', '.join(sorted(ALGORITHMS[profile]))}"
        )
    description, url = (_text(document, name) for name in ("description", "description_url"))
    if (description or url) and profile != Profile.AUTHENTICODE:
        raise InvalidSignRequestError(f"a signature of the profile {profile} carries no description")
    opus_info(description or None, url or None)
    items = document.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidSignRequestError(f"items is a list of 1 to {MAX_ITEMS} items")
    return Order(
        selector=selector,
        profile=profile,
        algorithm=algorithm,
        description=description,
        description_url=url,
        items=tuple(_item(index, item, profile, algorithm) for index, item in enumerate(items)),
    )


def _profile(value: object) -> Profile:
    if not isinstance(value, str) or value not in _PROFILES:
        raise InvalidSignRequestError(f"the profile is one of {', '.join(Profile.values)}")
    return _PROFILES[value]


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidSignRequestError(f"{name} is a text")
    return value or ""


def _item(index: int, item: object, profile: Profile, algorithm: str) -> Item:
    if not isinstance(item, dict):
        raise InvalidItemError(index, "it is not an object")
    unknown = sorted(item.keys() - _ITEM_MEMBERS)
    if unknown:
        raise InvalidItemError(index, f"it has a member that is not known: {unknown[0][:40]!r}")
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in KINDS[profile]:
        raise InvalidItemError(
            index, f"the kind of the profile {profile} is one of {', '.join(sorted(KINDS[profile]))}"
        )
    size = item.get("file_size")
    if size is not None and (type(size) is not int or not 0 <= size <= _MAX_SIZE):
        raise InvalidItemError(index, "file_size is a number of bytes")
    return Item(
        kind=kind,
        digest=_digest(index, item.get("digest"), algorithm),
        file_name=_fact(index, item, "file_name", _MAX_NAME),
        file_size=size,
        file_version=_fact(index, item, "file_version", _MAX_VERSION),
    )


def _digest(index: int, value: object, algorithm: str) -> bytes:
    length = DIGEST_BYTES[algorithm]
    try:
        found = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        found = b""
    # The text must be the one that these bytes have: surplus bits would make two requests of one.
    if len(found) != length or base64.b64encode(found).decode() != value:
        raise InvalidItemError(index, f"digest is not base64 of the {length} bytes of {algorithm}")
    return found


def _fact(index: int, item: Mapping[str, Any], name: str, longest: int) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InvalidItemError(index, f"{name} is a text of at most {longest} printable characters")
    return value
