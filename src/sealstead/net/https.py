"""Asks a server of ours, or an authority that a person named.

Rules it upholds:

- HTTPS; plain HTTP to this machine only, unless the caller says that what it sends is no secret;
- no redirect is followed: a credential goes to the address that a person wrote, and nowhere else;
- certificates are verified against the system's authorities, or not at all when a person said so;
- an answer has a size and a time in which its body is complete, and no byte of it is waited for longer;
- only what may be repeated is: the caller says so, and a refusal "later" (429, 503) is no execution;
- what a second attempt cannot mend is told at once: a name that nobody has, the wrong one of HTTP and HTTPS, a
  certificate. A refused connection is tried again, for a server that is started anew is back within seconds.

Unlike `net/pages.py`, addresses may be private and the environment's proxies are used: who named the server is the
person at the keyboard.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sealstead.net.https_answer import (
    AnswerTooLargeError,
    HttpsAnswer,
    ServerNameError,
    ServerRedirectsError,
    ServerUnreachableError,
    UntrustedServerError,
    WrongSchemeError,
)
from sealstead.net.server_address import check_address, proxy_for

if TYPE_CHECKING:
    import ssl

    from sealstead.net.https_answer import Way

__all__ = [
    "AnswerTooLargeError",
    "HttpsAnswer",
    "HttpsClient",
    "ServerNameError",
    "ServerRedirectsError",
    "ServerUnreachableError",
    "UntrustedServerError",
    "WrongSchemeError",
]

CONNECT_SECONDS = 10.0
MAX_ANSWER_BYTES = 16 << 20
_BUSY = (429, 503)
_LOST = (502, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_PAUSE = 30.0
_USER_AGENT = "sealstead-signing/1"


class HttpsClient:
    """Asks one server. Safe to be used by several threads."""

    def __init__(
        self,
        url: str,
        *,
        allow_untrusted: bool = False,
        in_the_clear: bool = False,
        seconds: float = 60,
        retries: int = 3,
        max_bytes: int = MAX_ANSWER_BYTES,
        environ: Mapping[str, str] = os.environ,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """`seconds` is for one answer, until its last byte.

        Raises:
            ServerAddressError: as `check_address`.
        """
        parts = check_address(url, in_the_clear=in_the_clear)
        self.url = url.strip().rstrip("/")
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._allow_untrusted = allow_untrusted
        self._seconds = seconds
        self._retries = retries
        self._max_bytes = max_bytes
        self._environ = environ
        self._pause = pause or time.sleep
        self._chosen: Way | None = None
        self._lock = threading.Lock()
        self.told: Callable[[str], None] = lambda _: None
        """Learns why and when the server is asked again."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        repeatable: bool,
    ) -> HttpsAnswer:
        """Return the answer, whatever its status. `repeatable`: asking twice does no more than asking once.

        Raises:
            ServerUnreachableError, WrongSchemeError, UntrustedServerError: nobody answers as a server should.
            ServerRedirectsError, AnswerTooLargeError: as they say.
        """
        end = time.monotonic() + self._seconds
        for attempt in range(self._retries + 1):
            last = attempt == self._retries or time.monotonic() > end
            try:
                answer = self._ask_once(method, path, headers, body)
            except ServerUnreachableError as exc:
                if last or not repeatable or isinstance(exc, ServerNameError):
                    raise
                self._wait(_jittered(attempt), exc.message, attempt)
                continue
            wait = answer.retry_after()
            again = answer.status in _BUSY or (repeatable and answer.status in _LOST)
            if not again or last or (wait or 0) > _LONGEST_PAUSE:
                return answer
            why = f"{self.url} answers {answer.status}"
            self._wait(max(wait or 0.0, _jittered(attempt)), why, attempt)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, seconds: float, why: str, attempt: int) -> None:
        self.told(f"{why}; asking again in {seconds:.1f} s ({attempt + 1} of {self._retries})")
        self._pause(seconds)

    def _ask_once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpsAnswer:
        sent = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers}
        answer = self._way().send(method, path, sent, body)
        if answer.status in _REDIRECTS:
            place = answer.fields.get("location", "")[:200]
            raise ServerRedirectsError(
                f"{self.url} sends its visitors elsewhere: {place}",
                hint="if that is right, give it as the server's address; the API key has not been sent there",
            )
        return answer

    def _way(self) -> Way:
        with self._lock:
            if self._chosen is None:
                self._chosen = self._choose()
            return self._chosen

    def _choose(self) -> Way:
        context = self._context() if self._secure else None
        proxy = proxy_for(self._host, "https" if self._secure else "http", self._environ)
        connect = min(CONNECT_SECONDS, self._seconds)
        if proxy:
            from sealstead.net.proxied import ProxiedWay

            return ProxiedWay(
                proxy,
                self.url,
                context=context,
                connect_seconds=connect,
                seconds=self._seconds,
                max_bytes=self._max_bytes,
            )
        from sealstead.net.direct import DirectWay

        return DirectWay(
            self.url,
            self._host,
            self._port,
            context=context,
            connect_seconds=connect,
            seconds=self._seconds,
            max_bytes=self._max_bytes,
        )

    def _context(self) -> ssl.SSLContext:
        import ssl

        if not self._allow_untrusted:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def _jittered(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 0.5 * float(2**attempt)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
