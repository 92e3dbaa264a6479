"""The way to a server through a proxy: urllib3, which speaks all the languages of proxies.

It takes as long to import as everything else that a short command needs, so the direct way does without it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sealstead.net.https_answer import (
    AnswerTooLargeError,
    HttpsAnswer,
    ServerNameError,
    ServerUnreachableError,
    WrongSchemeError,
    is_plain_text,
    untrusted,
)

if TYPE_CHECKING:
    import ssl

    import urllib3

_BLOCK = 1 << 16


class ProxiedWay:
    def __init__(
        self,
        proxy: str,
        url: str,
        *,
        context: ssl.SSLContext | None,
        connect_seconds: float,
        seconds: float,
        max_bytes: int,
    ) -> None:
        import urllib3

        # Whoever said --allow-untrusted has been told by us.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._pool = urllib3.ProxyManager(proxy, ssl_context=context, maxsize=8)
        self._url = url
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=seconds)
        self._seconds = seconds
        self._max_bytes = max_bytes

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> HttpsAnswer:
        from urllib3.exceptions import HTTPError, NameResolutionError, SSLError

        end = time.monotonic() + self._seconds
        try:
            answer = self._pool.request(
                method,
                self._url + path,
                body=body,
                headers=dict(headers),
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=self._timeout,
            )
            try:
                content = self._read(answer, end)
            except BaseException:
                answer.close()  # what was not read to its end cannot be asked again
                raise
            answer.release_conn()
        except SSLError as exc:
            if is_plain_text(exc):
                raise WrongSchemeError(
                    f"{self._url} does not answer in HTTPS", hint="look at the address, and at the proxy's"
                ) from exc
            raise untrusted(self._url, exc) from exc
        except NameResolutionError as exc:
            raise ServerNameError(
                f"the proxy of {self._url} cannot be reached: its name is not known",
                hint="look at the variables https_proxy, all_proxy and no_proxy",
            ) from exc
        except HTTPError as exc:
            raise ServerUnreachableError(f"{self._url} cannot be reached: {_reason(exc)}") from exc
        fields = {name.lower(): value for name, value in answer.headers.items()}
        return HttpsAnswer(status=answer.status, fields=fields, body=content)

    def _read(self, answer: urllib3.BaseHTTPResponse, end: float) -> bytes:
        blocks: list[bytes] = []
        size = 0
        while block := answer.read1(_BLOCK):
            blocks.append(block)
            size += len(block)
            if size > self._max_bytes:
                raise AnswerTooLargeError(f"{self._url} answers with more than {self._max_bytes} bytes")
            if time.monotonic() > end:
                raise ServerUnreachableError(
                    f"{self._url} gave no complete answer within {self._seconds:g} seconds"
                )
        return b"".join(blocks)


def _reason(exc: BaseException) -> str:
    from urllib3.exceptions import NewConnectionError
    from urllib3.exceptions import TimeoutError as TooLateError

    if isinstance(exc, TooLateError) and not isinstance(exc, NewConnectionError):
        return "no answer in time"
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(exc).__name__
