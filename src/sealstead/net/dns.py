"""Asks a resolver for TXT records: the system's, a name server by address, or one behind https (RFC 8484).

Without a setting nothing but the system's own resolvers is asked: where somebody looks is nobody else's business.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sealstead.errors import InputError, UpstreamError
from sealstead.formats.dns_message import (
    MAX_UDP_BYTES,
    NO_ERROR,
    NO_SUCH_NAME,
    REFUSED,
    Answer,
    MalformedAnswerError,
    make_question,
    parse_answer,
)
from sealstead.net.addresses import parse_address
from sealstead.net.connection import Deadline
from sealstead.net.pages import PageFetcher
from sealstead.net.urls import parse_url

_PORT = 53
_LAST_PORT = 65_535
_TURN_SECONDS = 2.0
"""How long one name server may take before the next is asked; UDP loses messages."""


class NameServerError(UpstreamError):
    """No name server answers, or they answer that they cannot."""

    code = "name-server-failed"


class NameServerRefusesError(NameServerError):
    """The name server answers no questions of ours."""

    code = "name-server-refuses"


class UnknownResolverError(InputError):
    """A resolver is neither an address nor an https URL, or none is known."""

    code = "unknown-resolver"


class TextRecords(Protocol):
    def find_texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of `name`; none when there is no such name.

        Raises:
            BadNameError: no such name can exist.
            NameServerError: no answer, which is not the same as none.
        """


class Server(NamedTuple):
    address: str
    port: int = _PORT


class NameServers:
    """Asks name servers in turn, by UDP, and by TCP for what is too long."""

    def __init__(self, servers: Sequence[Server], *, seconds: float = 10) -> None:
        self._servers = tuple(servers)
        self._seconds = seconds

    def find_texts(self, name: str) -> tuple[str, ...]:
        if not self._servers:
            raise UnknownResolverError(
                "no name server of this system is known",
                hint="name one: --resolver 192.0.2.1, or an https URL",
            )
        deadline = Deadline(self._seconds)
        failure: Exception | None = None
        for server in (*self._servers, *self._servers):
            try:
                return _texts(name, self._ask(server, name, deadline))
            except (OSError, MalformedAnswerError) as exc:
                failure = exc
        reason = (
            getattr(failure, "message", None) or getattr(failure, "strerror", None) or "no answer in time"
        )
        raise NameServerError(f"asking for the TXT records of {name}: {reason}") from failure

    def _ask(self, server: Server, name: str, deadline: Deadline) -> Answer:
        import secrets  # loads a library that only this needs

        number = secrets.randbelow(1 << 16)
        question = make_question(name, message_id=number)
        family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.settimeout(min(_TURN_SECONDS, deadline.left()))
            # Connected: the system drops what comes from anywhere else.
            asked.connect(server)
            asked.send(question)
            answer = parse_answer(asked.recv(MAX_UDP_BYTES * 4), name=name, message_id=number)
        if not answer.truncated:
            return answer
        with socket.create_connection(server, deadline.left()) as stream:
            stream.sendall(len(question).to_bytes(2, "big") + question)
            length = int.from_bytes(_exactly(stream, 2, deadline), "big")
            return parse_answer(_exactly(stream, length, deadline), name=name, message_id=number)


class SecureResolver:
    """Asks by https: what is asked and answered cannot be read or changed on the way."""

    def __init__(self, url: str, pages: PageFetcher) -> None:
        if parse_url(url).scheme != "https":
            raise UnknownResolverError(f"{url[:80]!r} is not an https URL")
        self._url = url
        self._pages = pages

    def find_texts(self, name: str) -> tuple[str, ...]:
        question = make_question(name, message_id=0)  # as RFC 8484, section 4.1, asks
        kind = "application/dns-message"
        page = self._pages.fetch(self._url, accept=kind, headers={"Content-Type": kind}, body=question)
        if page.status != 200:  # noqa: PLR2004 - the only success of RFC 8484
            raise NameServerError(f"{self._url} answers with status {page.status}")
        try:
            return _texts(name, parse_answer(page.body, name=name, message_id=0))
        except MalformedAnswerError as exc:
            raise NameServerError(exc.message) from exc


def make_resolver(setting: str, pages: PageFetcher, *, seconds: float) -> TextRecords:
    """Return what `setting` names: an address, one with a port, an https URL; empty: the system's.

    Raises:
        UnknownResolverError: it is none of them.
    """
    setting = setting.strip()
    if not setting:
        return NameServers(system_servers(), seconds=seconds)
    if "://" in setting:
        return SecureResolver(setting, pages)
    address, port = setting, _PORT
    if parse_address(setting) is None:
        address, _, number = setting.rpartition(":")
        address = address.removeprefix("[").removesuffix("]")
        if parse_address(address) is None or not number.isdecimal() or not 0 < int(number) <= _LAST_PORT:
            raise UnknownResolverError(
                f"{setting[:80]!r} is no resolver", hint="an address, [address]:port, or an https URL"
            )
        port = int(number)
    return NameServers([Server(address, port)], seconds=seconds)


def system_servers(settings: Path = Path("/etc/resolv.conf")) -> list[Server]:
    """Return the name servers of this system; none where they are not kept in that file (Windows)."""
    found = []
    with contextlib.suppress(OSError):
        for line in settings.read_text("utf-8", "replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver" and parse_address(words[1]) is not None:
                found.append(Server(words[1]))
    return found


def _texts(name: str, answer: Answer) -> tuple[str, ...]:
    if answer.rcode in (NO_ERROR, NO_SUCH_NAME):
        return answer.texts
    if answer.rcode == REFUSED:
        raise NameServerRefusesError(f"the name server refuses to look up {name}")
    raise NameServerError(f"the name server could not look up {name} (code {answer.rcode})")


def _exactly(stream: socket.socket, count: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < count:
        stream.settimeout(deadline.left())
        part = stream.recv(count - len(data))
        if not part:
            raise MalformedAnswerError("the answer of the name server is cut off")
        data += part
    return data
