"""Answers that need no thread of their own: what the worker asks the application for, and gets from it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

from sealstead.clock import SystemClock
from sealstead.server.plain_request import serialize_head

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class AnswerAtHand:
    """A whole answer from memory; `headers` include Content-Length."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def head(self) -> bytes:
        """Return the head as it is sent now."""
        return serialize_head(self.status, self.headers, date=_date(int(_CLOCK.now().timestamp())))


class PromptAnswers(Protocol):
    """What answers short requests from one thread: nothing it does waits for a client, a network or a lock."""

    def is_prompt(self, method: str, path: str) -> bool:
        """Tell whether `answer_when_durable` may know an answer."""

    def answer_when_durable(
        self, environ: dict[str, Any], send: Callable[[AnswerAtHand | None], None]
    ) -> bool:
        """Prepare the answer and return True: `send` gets it once, from another thread, when it may leave.

        False, and None to `send`: nothing was written, and the request goes to a thread.
        """


class AnswersAtHand(Protocol):
    """An application that can also answer the worker's own threads."""

    prompt: PromptAnswers | None

    def answer_at_hand(self, environ: Mapping[str, Any]) -> AnswerAtHand | None:
        """Return the answer if it takes no disk, network or rendering; None sends the request to a thread."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the access log reads of gunicorn's response."""

    status: str
    sent: int


def send_at_hand(sock: socket.socket, answer: AnswerAtHand, request_bytes: int) -> bytes:
    """Take the request off a socket that does not block, send its answer, and return what the client did not take.

    Raises:
        OSError: the client has gone.
    """
    head = answer.head()
    sock.recv(request_bytes)
    try:
        sent = sock.sendmsg([head, answer.body])
    except BlockingIOError:
        sent = 0
    return b"" if sent == len(head) + len(answer.body) else (head + answer.body)[sent:]


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
