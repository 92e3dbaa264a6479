"""URLs that may be fetched: http and https, a host, and nothing that two readers could take apart differently."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from sealstead.errors import InputError
from sealstead.net.addresses import parse_address

LONGEST = 2048
_NEVER = re.compile(r"""[\x00-\x20\x7f\\<>"^`{|}]""")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252})?", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LABEL = "[a-z0-9_][a-z0-9_-]{0,59}"
_PLAIN = re.compile(
    rf"(https?)://({_LABEL}(?:\.{_LABEL}){{0,3}})(?::([1-9][0-9]{{1,3}}|[1-5][0-9]{{4}}))?(/[A-Za-z0-9/_.~-]*)"
)
"""Most URLs: nothing in them is escaped, or means something else to another reader."""
FIRST_UNPRIVILEGED_PORT = 1024


class BadUrlError(InputError):
    """A URL that is not fetched: another scheme, no host, credentials in it, or not well-formed."""

    code = "bad-url"


class Target(NamedTuple):
    """Where a URL leads: what is dialled, and what is asked for there."""

    scheme: str
    host: str
    """In lower case, ASCII, without brackets."""
    port: int
    path: str
    """With the query; ASCII."""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def has_usual_port(self) -> bool:
        """Ports below 1024 but the two of the web belong to other protocols, whose servers we might confuse."""
        return self.port in _PORTS.values() or self.port >= FIRST_UNPRIVILEGED_PORT


@functools.lru_cache(maxsize=256)
def parse_url(url: str) -> Target:
    """Return where `url` leads.

    Raises:
        BadUrlError: not a URL that is fetched.
    """
    if len(url) > LONGEST:
        raise BadUrlError(f"a URL has more than {LONGEST} characters")
    plain = _PLAIN.fullmatch(url)
    if plain is None:
        return _parse_any(url)
    scheme, host, port, path = plain.groups()
    return Target(scheme, host, int(port) if port else _PORTS[scheme], path)


def _parse_any(url: str) -> Target:
    if _NEVER.search(url):
        raise BadUrlError(f"{url[:80]!r} holds a character that no URL may hold")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as exc:
        raise BadUrlError(f"{url[:80]!r} is not a URL: {exc}") from exc
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise BadUrlError(f"{url[:80]!r} is not fetched: only http and https are")
    if parts.username is not None or parts.password is not None:
        raise BadUrlError("a URL holds a user name or a password", hint="leave out what stands before the @")
    if "[" in parts.netloc and parse_address(host) is None:
        raise BadUrlError(f"{url[:80]!r} names no host")
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/?:@!$&'()*+,;=~%-._[]")
    return Target(scheme, _ascii_host(host, url), port or _PORTS[scheme], path)


def join(base: Target, reference: str) -> Target:
    """Return where `reference`, found in an answer of `base`, leads (RFC 3986, section 5).

    Raises:
        BadUrlError: not a URL that is fetched.
    """
    try:
        following = urljoin(base.url, reference.strip())
    except ValueError as exc:
        raise BadUrlError(f"{reference[:80]!r} is not a URL: {exc}") from exc
    return parse_url(following)


def same_site(one: Target, other: Target) -> bool:
    """Return whether both are the same host, apart from a leading `www.` and from http becoming https.

    Another host is another owner's word, however near its name: `user.example.com` is not `example.com`.
    """
    if one.host.removeprefix("www.") != other.host.removeprefix("www."):
        return False
    if (one.scheme, other.scheme) == ("https", "http"):
        return False
    return one.port == other.port or (one.port, other.port) == (80, 443)


def _ascii_host(host: str, url: str) -> str:
    if ":" in host:  # urlsplit has looked at what stands in brackets
        return host.lower().partition("%")[0]
    text = host.lower()
    if not host.isascii():
        try:
            # Of a name outside ASCII, the form that the domain name system knows.
            text = host.encode("idna").decode("ascii").lower()
            same = text.encode("ascii").decode("idna") == host.lower()
        except UnicodeError as exc:
            raise BadUrlError(f"{url[:80]!r} names a host that cannot exist") from exc
        # Full-width letters, invisible ones, other dots: a host that looks like no known one, and is one.
        if not same:
            raise BadUrlError(f"{url[:80]!r} spells its host in an unusual way", hint=f"write {text}")
    text = text.removesuffix(".")
    if _HOST.fullmatch(text) is None or ".." in text:
        raise BadUrlError(f"{url[:80]!r} names no host")
    return text
