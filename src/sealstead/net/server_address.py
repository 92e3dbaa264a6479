"""Addresses of servers that a person names: where a credential may travel, and through which proxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from sealstead.errors import InputError


class ServerAddressError(InputError):
    """Not the address of a server, or one to which a secret would travel in the clear."""

    code = "server-address"


def is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(url: str, *, in_the_clear: bool = False) -> SplitResult:
    """Return the parts of a server's address. `in_the_clear`: plain HTTP is good enough for any host.

    Raises:
        ServerAddressError: it is none, or a secret would travel unprotected.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    printable = text.isascii() and text.isprintable() and " " not in text
    if not printable or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ServerAddressError(
            f"{text[:200]!r} is no server address", hint="write for example https://sign.example.org"
        )
    if parts.username is not None or parts.password is not None:
        raise ServerAddressError("a server address holds no user name and no password")
    if parts.query or parts.fragment:
        raise ServerAddressError("a server address has no part after ? or #")
    if parts.scheme == "http" and not in_the_clear and not is_loopback(parts.hostname):
        raise ServerAddressError(
            f"{text} is not protected: the API key would travel in the clear",
            hint="use https://; plain http:// is accepted to this machine only",
        )
    return parts


def proxy_for(host: str, scheme: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy that the environment names for `host`; this machine is asked without one."""
    if is_loopback(host):
        return None
    for name in (f"{scheme}_proxy", "all_proxy"):
        # HTTP_PROXY in upper case is what a web server makes of a visitor's header `Proxy`.
        upper = None if name == "http_proxy" else environ.get(name.upper())
        found = (environ.get(name) or upper or "").strip()
        if found:
            break
    else:
        return None
    excepted = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    for entry in (part.strip().lower().lstrip(".") for part in excepted.split(",")):
        if entry == "*" or (entry and (host.lower() == entry or host.lower().endswith("." + entry))):
            return None
    return found if "://" in found else f"http://{found}"
