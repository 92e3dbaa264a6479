"""What a server answered, or why it did not: of `https` and the ways on which it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sealstead.errors import UpstreamError


class ServerUnreachableError(UpstreamError):
    """A server cannot be reached, or does not answer in time."""

    code = "server-unreachable"


class ServerNameError(ServerUnreachableError):
    """No server has this name: mistyped most likely, so nobody is asked again."""

    code = "server-name-unknown"


class WrongSchemeError(UpstreamError):
    """A server speaks the other one of HTTP and HTTPS."""

    code = "wrong-scheme"


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


class Way(Protocol):
    """Sends one request to a server and returns the answer, whatever its status; threads share it."""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> HttpsAnswer:
        """Raises ServerUnreachableError, UntrustedServerError, AnswerTooLargeError."""
        ...


def untrusted(url: str, exc: Exception) -> UpstreamError:
    """Return what a failed handshake means; `exc` is that of `ssl`, or holds it."""
    cause = exc.args[0] if exc.args and isinstance(exc.args[0], Exception) else exc
    verify = getattr(cause, "verify_message", "")
    if verify or "certificate" in str(exc).lower():
        return UntrustedServerError(
            f"nobody vouches for the certificate of {url}: {verify or exc}",
            hint="name its authority with SSL_CERT_FILE; --allow-untrusted accepts any certificate, "
            "and whoever is in between gets the API key",
        )
    reason = str(getattr(cause, "reason", None) or cause)
    return ServerUnreachableError(f"no secure connection to {url}: {reason.lower().replace('_', ' ')}")


def is_plain_text(exc: Exception) -> bool:
    """Whether a handshake failed because the other side did not answer in TLS (OpenSSL's words for it)."""
    cause = exc.args[0] if exc.args and isinstance(exc.args[0], Exception) else exc
    return getattr(cause, "reason", None) in (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
    )
