"""Fetches pages that somebody else's profile names, so nothing about a URL is trusted.

Rules it upholds:

- http and https only, no credentials, and no port of another protocol (`net/urls.py`);
- a name is looked up once, every address is checked, and the checked address is the one that is dialled: a name that
  changes between check and use gains nothing;
- each redirect is a new URL, for which all of this holds again; never from https to http, and not to another host
  unless the caller says so;
- time, size and number of redirects end, whatever the server does;
- certificates are verified; proxies of the environment are not used, for then it is the proxy that looks names up.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from sealstead.errors import UpstreamError
from sealstead.net.addresses import check_public
from sealstead.net.connection import Answer, Connection, Deadline, StaleConnectionError, UnreachableError
from sealstead.net.resolve import Lookup, resolve, system_lookup
from sealstead.net.urls import BadUrlError, Target, join, parse_url, same_site

if TYPE_CHECKING:
    import ssl

REDIRECTS = frozenset({301, 302, 303, 307, 308})
USER_AGENT = "sealstead-profile/1 (checks identity proofs)"
_PER_HOST = 6
"""Connections to one host at a time: as many as a browser opens."""


class RedirectError(UpstreamError):
    """A server sends its visitors in circles, too far, or to where we do not follow."""

    code = "redirect"


class LeavesSiteError(RedirectError):
    """A page sends its visitors to another host, `to`: what stands there is another owner's word."""

    code = "leaves-site"

    def __init__(self, message: str, *, to: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.to = to


class Limits(NamedTuple):
    seconds: float = 10
    """For all of one fetch: look-ups, redirects, the last byte."""
    max_bytes: int = 2 * 1024 * 1024
    redirects: int = 5


class Page(NamedTuple):
    url: str
    """Where the answer came from in the end."""
    status: int
    fields: Mapping[str, str]
    body: bytes
    complete: bool
    """False when the page is longer than we read; `body` holds its beginning."""
    hops: tuple[str, ...] = ()
    """The redirects that led here."""

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class PageFetcher(Protocol):
    def fetch(
        self,
        url: str,
        *,
        accept: str = "*/*",
        headers: Mapping[str, str] = ...,
        body: bytes | None = None,
        anywhere: bool = False,
    ) -> Page:
        """Return what is at `url`, whatever its status.

        `anywhere`: redirects may lead to another host. With a `body` it is a POST, and no redirect is followed.

        Raises:
            BadUrlError: not a URL that is fetched.
            PrivateAddressError: it leads to an address that is not public.
            RedirectError: redirects do not end, or lead where we do not follow.
            UnknownHostError, UnreachableError: no answer.
        """

    def share(self, ways: int) -> None:
        """Use no more connections to a host than is due to each of so many processes, and none that they would share."""


Dial = Callable[[tuple[str, int], float], socket.socket]
_NO_HEADERS: Mapping[str, str] = {}


def dial(where: tuple[str, int], seconds: float) -> socket.socket:
    """Connect to an address. What the standard library has for this looks names up, and loads tables for that."""
    connected = socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
    try:
        connected.settimeout(seconds)
        connected.connect(where)
    except BaseException:
        connected.close()
        raise
    return connected


class WebPages:
    """The `PageFetcher` of the real network. Safe to be used by several threads."""

    def __init__(
        self,
        *,
        limits: Limits = Limits(),  # noqa: B008 - a value
        allow_private: bool = False,
        lookup: Lookup = system_lookup,
        dial: Dial = dial,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`tls` makes the settings of TLS; None: those of the system."""
        self.limits = limits
        self.allow_private = allow_private
        self.lookup = lookup
        self.dial = dial
        self.tls = tls
        self._per_host = _PER_HOST
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[str, str, int], list[Connection]] = defaultdict(list)
        self._slots = defaultdict[str, threading.Semaphore](lambda: threading.Semaphore(self._per_host))

    def fetch(
        self,
        url: str,
        *,
        accept: str = "*/*",
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes | None = None,
        anywhere: bool = False,
    ) -> Page:
        start = target = parse_url(url)
        self._check_port(start)
        hops: list[str] = []
        deadline: Deadline | None = None
        while True:
            with self._lock:
                slot = self._slots[target.host]
            with slot:
                # Waiting for our own other fetches is no fault of the server's.
                deadline = deadline or Deadline(self.limits.seconds)
                answer = self._ask(target, _request(target, accept, headers, body), deadline)
            place = answer.head.fields.get("location")
            if answer.head.status not in REDIRECTS or place is None or body is not None:
                return Page(
                    url=target.url,
                    status=answer.head.status,
                    fields=answer.head.fields,
                    body=answer.body,
                    complete=answer.complete,
                    hops=tuple(hops),
                )
            following = _follow(target, place)
            if len(hops) >= self.limits.redirects or following.url in (start.url, *hops):
                raise RedirectError(f"{start.url} sends its visitors in circles or too far: {following.url}")
            if not anywhere and not same_site(start, following):
                raise LeavesSiteError(
                    f"{start.url} sends its visitors to another site: {following.url}",
                    to=following.url,
                    hint="name in the profile the page where the proof stands",
                )
            try:
                self._check_port(following)
            except BadUrlError as exc:
                raise RedirectError(f"{start.url} sends its visitors on: {exc.message}") from exc
            hops.append(following.url)
            target = following

    def share(self, ways: int) -> None:
        self.close()
        self._per_host = max(1, _PER_HOST // ways)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections that were kept for later."""
        with self._lock:
            for connection in [one for kept in self._idle.values() for one in kept]:
                connection.close()
            self._idle.clear()

    def _check_port(self, target: Target) -> None:
        if not self.allow_private and not target.has_usual_port:
            raise BadUrlError(f"port {target.port} belongs to another protocol than the web's")

    def _ask(self, target: Target, request: bytes, deadline: Deadline) -> Answer:
        key = (target.scheme, target.host, target.port)
        while True:
            with self._lock:
                kept = self._idle[key].pop() if self._idle[key] else None
            connection = kept or self._connect(target, deadline)
            try:
                answer = connection.ask(request, max_bytes=self.limits.max_bytes, deadline=deadline)
            except StaleConnectionError:
                connection.close()
                continue  # ends: each turn uses up one connection that was kept
            except BaseException:
                connection.close()
                raise
            if connection.reusable:
                with self._lock:
                    self._idle[key].append(connection)
            else:
                connection.close()
            return answer

    def _connect(self, target: Target, deadline: Deadline) -> Connection:
        addresses = resolve(self.lookup, target.host, target.port, deadline.left())
        if not self.allow_private:
            check_public(target.host, addresses)
        failure: OSError | None = None
        for at, address in enumerate(addresses[:_PER_HOST]):
            # A dead first address must leave time for the second.
            share = deadline.left() / (2 if at + 1 < len(addresses) else 1)
            try:
                connected = self.dial((address, target.port), share)
            except OSError as exc:
                failure = exc
                continue
            with contextlib.suppress(OSError):  # a nicety
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Connection(self._secured(connected, target, deadline))
        reason = "no answer in time" if isinstance(failure, TimeoutError) else _reason(failure)
        raise UnreachableError(f"{target.authority} cannot be reached: {reason}") from failure

    def _secured(self, connected: socket.socket, target: Target, deadline: Deadline) -> socket.socket:
        if target.scheme == "http":
            return connected
        try:
            connected.settimeout(deadline.left())
            # The certificate is checked for the name that was asked for, not for the address that was dialled.
            return self._tls_settings.wrap_socket(connected, server_hostname=target.host)
        except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
            connected.close()
            reason = getattr(exc, "verify_message", "") or getattr(exc, "reason", "") or _reason(exc)
            raise UnreachableError(f"no secure connection to {target.authority}: {reason}") from exc
        except BaseException:
            connected.close()
            raise

    @functools.cached_property
    def _tls_settings(self) -> ssl.SSLContext:
        if self.tls is not None:
            return self.tls()
        import ssl  # its store of authorities is read only when something is fetched with https

        return ssl.create_default_context()


def _request(target: Target, accept: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    lines = [
        f"{'GET' if body is None else 'POST'} {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: {USER_AGENT}",
        f"Accept: {accept}",
        "Accept-Encoding: identity",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def _follow(target: Target, place: str) -> Target:
    try:
        # Header values are bytes; a Location outside ASCII is UTF-8 in practice.
        following = join(target, place.encode("latin-1").decode("utf-8", "replace"))
    except BadUrlError as exc:
        raise RedirectError(
            f"{target.url} sends its visitors to a URL that is not fetched: {exc.message}"
        ) from exc
    if target.scheme == "https" and following.scheme == "http":
        raise RedirectError(f"{target.url} sends its visitors to an unprotected page: {following.url}")
    return following


def _reason(exc: BaseException | None) -> str:
    return str(getattr(exc, "strerror", None) or exc or "no address")
