"""Asks time-stamp authorities (RFC 3161, section 3.4), several in turn where one does not answer as it should.

Rules:
  * plain HTTP is good enough: what travels is a digest, and the answer is signed;
  * an answer counts only when the caller's check accepts it; what an authority got wrong is no reason to stop, but to
    ask the next one;
  * whoever failed is asked last from then on: two hundred files do not wait two hundred times for the same one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sealstead.errors import InputError, ParseError, SealsteadError, UpstreamError, VerificationError
from sealstead.net.https import HttpsAnswer, HttpsClient

T = TypeVar("T")

REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"
MAX_RESPONSE_BYTES = 256 << 10
"""A token with its chain of certificates has some 5 kB."""
SECONDS = 20.0
RETRIES = 2
_OK = 200


class NoAuthorityError(InputError):
    """No time-stamp authority was named."""

    code = "no-timestamp-server"


class AuthorityAnswerError(UpstreamError):
    """A time-stamp authority answers with something else than a time-stamp."""

    code = "timestamp-server-failed"


class NoTimestampError(UpstreamError):
    """None of the time-stamp authorities gave a time-stamp that holds."""

    code = "no-timestamp"


class Authorities:
    """Time-stamp authorities in the order of preference. Safe to be used by several threads."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        seconds: float = SECONDS,
        retries: int = RETRIES,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`seconds` is for one answer, `retries` for how often one authority is asked again.

        Raises:
            NoAuthorityError: there is none.
            ServerAddressError: one is no address.
        """
        if not urls:
            raise NoAuthorityError(
                "no time-stamp server was named", hint="name one: --tr http://tsa.example.org"
            )
        self._clients = [
            HttpsClient(
                url,
                in_the_clear=True,
                seconds=seconds,
                retries=retries,
                max_bytes=MAX_RESPONSE_BYTES,
                pause=pause,
            )
            for url in dict.fromkeys(urls)
        ]
        self._failures = dict.fromkeys(self._clients, 0)
        self._lock = threading.Lock()
        self.told: Callable[[str], None] = lambda _: None
        """Learns of each authority that failed, when another is asked instead."""

    def tell_of_retries(self, told: Callable[[str], None]) -> None:
        """Have `told` learn when and why an authority is asked again."""
        for client in self._clients:
            client.told = told

    def ask(self, request: bytes, check: Callable[[bytes], T]) -> T:
        """Return what `check` makes of the first answer that it accepts.

        Raises:
            NoTimestampError: no authority gave one.
        """
        with self._lock:
            order = sorted(self._clients, key=lambda client: self._failures[client])
        reasons: list[SealsteadError] = []
        for client in order:
            try:
                return check(self._answer(client, request))
            except (UpstreamError, ParseError, VerificationError) as exc:
                reasons.append(exc)
                with self._lock:
                    self._failures[client] += 1
                if client is not order[-1]:
                    self.told(f"{_named(client, exc)}; asking another time-stamp server")
        message = "; ".join(_named(client, exc) for client, exc in zip(order, reasons, strict=True))
        raise NoTimestampError(
            f"no time-stamp from {message}",
            hint="name another one too: --fallback-timestamp-server URL; or sign without --tr and run `timestamp` later",
        ) from reasons[-1]

    def _answer(self, client: HttpsClient, request: bytes) -> bytes:
        answer = client.ask(
            "POST",
            "",
            headers={"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE},
            body=request,
            repeatable=True,  # another token of the same is as good
        )
        if answer.status != _OK:
            raise AuthorityAnswerError(f"it answers {answer.status}")
        kind = _media_type(answer)
        if kind != RESPONSE_TYPE:
            raise AuthorityAnswerError(f"it answers with {kind[:80] or 'something'}, not with a time-stamp")
        return answer.body


def _named(client: HttpsClient, exc: SealsteadError) -> str:
    """Return what went wrong, with the authority where the words do not name it."""
    return exc.message if exc.message.startswith(client.url) else f"{client.url}: {exc.message}"


def _media_type(answer: HttpsAnswer) -> str:
    return answer.fields.get("content-type", "").partition(";")[0].strip().lower()
