"""The express lane of a worker: one thread for short requests whose answer waits for a commit and for nothing else.

gunicorn gives each request a thread. Eight of them that each compute for a millisecond and then wait for the same commit
spend more time on each other, on the interpreter's lock, than on the requests. Here one thread prepares one answer after the other; the
writer of the group commit sends each as soon as it is durable.

Rules:
  * only requests that `plain_request.py` read whole: nobody in the lane waits for a client;
  * the bytes stay on the socket until the answer leaves. Whatever the lane does not answer, a thread finds as it came, and
    nothing has been written of it;
  * a connection in the lane is the lane's: the loop does not look at it, and nobody ends it;
  * the loop takes back all that are done by one call.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any

import structlog

from sealstead.server.at_hand import AnswerAtHand, Sent, send_at_hand
from sealstead.server.plain_request import PlainPost, environ_of_post, read_plain_post

_log = structlog.get_logger(__name__)


@dataclass(slots=True, repr=False)
class _Rider:
    """A request in the lane; its environment holds a credential."""

    conn: Any
    """gunicorn's `TConn`, as below."""
    post: PlainPost
    began: float
    environ: dict[str, Any]
    answer: AnswerAtHand | None = None
    rest: bytes = b""
    """What the client did not take at once."""
    lost: bool = False
    """The client has gone."""


class Lane:
    """`worker` is a `worker.Worker`, whose connections these are."""

    def __init__(self, worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        self._worker = worker
        self._queue: SimpleQueue[_Rider] = SimpleQueue()
        self._done: deque[_Rider] = deque()
        self._told = False
        self._thread: threading.Thread | None = None

    def read(self, data: bytes) -> PlainPost | None:
        """Return the request that `data` begins or is, if the lane may have it."""
        post = read_plain_post(data) if data.startswith(b"POST ") else None
        prompt = self._worker.wsgi.prompt
        return (
            post if post is not None and prompt is not None and prompt.is_prompt("POST", post.path) else None
        )

    def take(self, conn: Any, post: PlainPost | None) -> bool:  # noqa: ANN401 - as above
        """Take the connection out of the loop, where it waits to be read; False leaves it there."""
        worker = self._worker
        if post is None or not worker.alive:
            return False
        began = time.monotonic()
        worker.poller.unregister(conn.sock)
        waiting = worker.pending_conns if conn in worker.pending_conns else worker.keepalived_conns
        waiting.remove(conn)
        if self._thread is None:
            # Made by the first request, that is in the worker: threads do not survive a fork.
            self._thread = threading.Thread(target=self._run, name="express", daemon=True)
            self._thread.start()
        self._queue.put(_Rider(conn=conn, post=post, began=began, environ=environ_of_post(post, conn.client)))
        return True

    def _run(self) -> None:
        prompt = self._worker.wsgi.prompt
        while True:
            rider = self._queue.get()
            begun = False
            try:
                begun = prompt.answer_when_durable(rider.environ, partial(self._send, rider))
            except Exception:  # noqa: BLE001 - a thread meets it again, and answers
                _log.exception("the express lane failed", path=rider.post.path)
            if not begun:
                self._give_back(rider)

    def _send(self, rider: _Rider, answer: AnswerAtHand | None) -> None:
        if answer is not None:
            rider.answer = answer
            try:
                rider.rest = send_at_hand(rider.conn.sock, answer, rider.post.length)
            except OSError:
                rider.lost = True
        self._give_back(rider)

    def _give_back(self, rider: _Rider) -> None:
        self._done.append(rider)
        if not self._told:
            self._told = True
            self._worker.method_queue.defer(self._take_back)

    def _take_back(self) -> None:
        """Run by the loop."""
        self._told = False
        while self._done:
            self._settle(self._done.popleft())

    def _settle(self, rider: _Rider) -> None:
        worker, conn, answer = self._worker, rider.conn, rider.answer
        if answer is None:
            conn.data_ready = True
            worker.enqueue_req(conn)
            return
        worker.nr += 1
        spent = timedelta(seconds=time.monotonic() - rider.began)
        worker.log.access(Sent(answer.status, len(answer.body)), None, rider.environ, spent)
        if rider.lost:
            worker.nr_conns -= 1
            conn.close()
        elif rider.rest:
            worker.send_later(conn, rider.rest)
        else:
            worker.wait_for_next(conn)
