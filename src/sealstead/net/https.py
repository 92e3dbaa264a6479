"""Asks a server of ours, or an authority that a person named: urllib3 with our rules around it.

Rules it upholds:

- HTTPS; plain HTTP to this machine only, unless the caller says that what it sends is no secret;
- no redirect is followed: a credential goes to the address that a person wrote, and nowhere else;
- certificates are verified against the system's authorities, or not at all when a person said so;
- an answer has a size and a time in which its body is complete, and no byte of it is waited for longer;
- only what may be repeated is: the caller says so, and a refusal "later" (429, 503) is no execution.

Unlike `net/pages.py`, addresses may be private and the environment's proxies are used: who named the server is the
person at the keyboard.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sealstead.errors import UpstreamError
from sealstead.net.server_address import check_address, proxy_for

if TYPE_CHECKING:
    import ssl

    import urllib3

CONNECT_SECONDS = 10.0
MAX_ANSWER_BYTES = 16 << 20
_BLOCK = 1 << 16
_BUSY = (429, 503)
_LOST = (502, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_PAUSE = 30.0
_USER_AGENT = "sealstead-signing/1"


class ServerUnreachableError(UpstreamError):
    """A server cannot be reached, or does not answer in time."""

    code = "server-unreachable"


class UntrustedServerError(UpstreamError):
    """Nobody vouches for the certificate of a server."""

    code = "untrusted-server"


class ServerRedirectsError(UpstreamError):
    """A server sends its visitors elsewhere, and a credential does not follow."""

    code = "server-redirects"


class AnswerTooLargeError(UpstreamError):
    """An answer is larger than it may be."""

    code = "answer-too-large"


class HttpsAnswer(NamedTuple):
    status: int
    fields: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def retry_after(self) -> float | None:
        """Return for how many seconds the server wants to be left alone, if it says so as a number."""
        text = self.fields.get("retry-after", "").strip()
        return float(text) if text.isdecimal() and len(text) < 8 else None  # noqa: PLR2004 - digits


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
        self._allow_untrusted = allow_untrusted
        self._seconds = seconds
        self._retries = retries
        self._max_bytes = max_bytes
        self._environ = environ
        self._pause = pause or time.sleep
        self._pool: urllib3.PoolManager | None = None

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
            ServerUnreachableError, UntrustedServerError, ServerRedirectsError, AnswerTooLargeError: as they say.
        """
        end = time.monotonic() + self._seconds
        for attempt in range(self._retries + 1):
            last = attempt == self._retries or time.monotonic() > end
            try:
                answer = self._ask_once(method, path, headers, body)
            except ServerUnreachableError:
                if last or not repeatable:
                    raise
                self._pause(_jittered(attempt))
                continue
            wait = answer.retry_after()
            again = answer.status in _BUSY or (repeatable and answer.status in _LOST)
            if not again or last or (wait or 0) > _LONGEST_PAUSE:
                return answer
            self._pause(max(wait or 0.0, _jittered(attempt)))
        raise AssertionError("the last attempt returns or raises")

    def _ask_once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpsAnswer:
        import urllib3
        from urllib3.exceptions import HTTPError, SSLError

        end = time.monotonic() + self._seconds
        try:
            answer = self._manager().request(
                method,
                self.url + path,
                body=body,
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers},
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, self._seconds), read=self._seconds),
            )
            try:
                content = self._read(answer, end)
            except BaseException:
                answer.close()  # what was not read to its end cannot be asked again
                raise
            answer.release_conn()
        except SSLError as exc:
            raise self._untrusted(exc) from exc
        except HTTPError as exc:
            raise ServerUnreachableError(f"{self.url} cannot be reached: {_reason(exc)}") from exc
        fields = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status in _REDIRECTS:
            place = fields.get("location", "")[:200]
            raise ServerRedirectsError(
                f"{self.url} sends its visitors elsewhere: {place}",
                hint="if that is right, give it as the server's address; the API key has not been sent there",
            )
        return HttpsAnswer(status=answer.status, fields=fields, body=content)

    def _read(self, answer: urllib3.BaseHTTPResponse, end: float) -> bytes:
        blocks: list[bytes] = []
        size = 0
        while block := answer.read1(_BLOCK):
            blocks.append(block)
            size += len(block)
            if size > self._max_bytes:
                raise AnswerTooLargeError(f"{self.url} answers with more than {self._max_bytes} bytes")
            if time.monotonic() > end:
                raise ServerUnreachableError(
                    f"{self.url} gave no complete answer within {self._seconds:g} seconds"
                )
        return b"".join(blocks)

    def _manager(self) -> urllib3.PoolManager:
        if self._pool is None:
            import urllib3

            context = self._context() if self._secure else None
            if self._allow_untrusted:
                # Whoever said --allow-untrusted has been told by us.
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            proxy = proxy_for(self._host, "https" if self._secure else "http", self._environ)
            if proxy:
                self._pool = urllib3.ProxyManager(proxy, ssl_context=context, maxsize=8)
            else:
                self._pool = urllib3.PoolManager(ssl_context=context, maxsize=8)
        return self._pool

    def _context(self) -> ssl.SSLContext:
        import ssl

        if not self._allow_untrusted:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _untrusted(self, exc: Exception) -> UpstreamError:
        cause = exc.args[0] if exc.args and isinstance(exc.args[0], Exception) else exc
        verify = getattr(cause, "verify_message", "")
        if verify or "certificate" in str(exc).lower():
            return UntrustedServerError(
                f"nobody vouches for the certificate of {self.url}: {verify or exc}",
                hint="name its authority with SSL_CERT_FILE; --allow-untrusted accepts any certificate, "
                "and whoever is in between gets the API key",
            )
        return ServerUnreachableError(
            f"no secure connection to {self.url}: {getattr(cause, 'reason', cause)}"
        )


def _jittered(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 0.5 * float(2**attempt)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def _reason(exc: BaseException) -> str:
    from urllib3.exceptions import NameResolutionError, NewConnectionError
    from urllib3.exceptions import TimeoutError as TooLateError

    if isinstance(exc, NameResolutionError):
        return "its name is not known"
    if isinstance(exc, TooLateError) and not isinstance(exc, NewConnectionError):
        return "no answer in time"
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(exc).__name__
