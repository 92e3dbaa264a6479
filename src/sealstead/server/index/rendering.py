"""Render descriptions in a process of their own: a text chosen by a stranger must not hold up a worker.

Small texts can take hours (substitutions that name each other in reStructuredText, a few KB for a syntax highlighter,
quotes within quotes) or more memory than there is. Nothing stops a thread, so each worker keeps one child process:

  * the kernel ends it when it has computed for `SECONDS` on one text, and bounds its memory; the next text gets a new one;
  * it has neither the settings nor the master keys in its environment, and it ends with the worker.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from typing import IO, Final

from sealstead.server.index.upload_errors import IndexBusyError

SECONDS: Final = 10
"""Of the processor: on a busy machine a text takes longer and is as honest. The longest honest ones take a tenth of it."""
_LONGER: Final = 6
"""Who has not had a processor for so long by then is given up too: others wait."""
MEMORY_BYTES: Final = 1024 * 1024 * 1024
"""Of address space; what the renderers need for the largest description is half of it."""
_WAIT_SECONDS: Final = 30


class Renderer:
    """One child process, started when it is needed. Texts are rendered one after the other."""

    def __init__(self, *, seconds: int = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def render(self, text: str, content_type: str, variant: str) -> str | None:
        """Return sanitised HTML, or None if the text does not render, or not within the bounds.

        Raises:
            IndexBusyError: others are being rendered for too long.
        """
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise IndexBusyError("The index is busy. Try again.")
        try:
            request = json.dumps([text, content_type, variant]).encode() + b"\n"
            child = self._ready()
            try:
                answer = self._ask(child, request)
            except BaseException:
                self.close()
                raise
            if not answer.endswith(b"\n"):
                self.close()
                return None
            html: str | None = json.loads(answer)
            return html
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()

    def _ready(self) -> subprocess.Popen[bytes]:
        # A fork of this process shares the pipes, and must not use them.
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self.close()
            self._owner = os.getpid()
            self._child = subprocess.Popen(  # noqa: S603 - this module, by the running interpreter
                [sys.executable, "-P", "-m", __name__, str(self._seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={key: value for key, value in os.environ.items() if not key.startswith("SEALSTEAD_")},
                start_new_session=True,
            )
        return self._child

    @staticmethod
    def _ask(child: subprocess.Popen[bytes], request: bytes) -> bytes:
        assert child.stdin is not None  # noqa: S101 - a pipe was asked for; for the type checker
        assert child.stdout is not None  # noqa: S101 - as above
        view = memoryview(request)
        try:
            while view:
                view = view[child.stdin.write(view) or 0 :]
        except BrokenPipeError:
            return b""
        pieces = []
        # Whole at its line feed, which JSON has nowhere else; nothing more comes when the child has been ended.
        while piece := child.stdout.read(256 * 1024):
            pieces.append(piece)
            if piece.endswith(b"\n"):
                break
        return b"".join(pieces)


renderer: Final = Renderer()
"""This process's own."""
atexit.register(renderer.close)


def serve(requests: IO[bytes], answers: IO[bytes], *, seconds: int) -> None:
    """Answer one text a line until the worker has gone: what the child does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in requests:
        # Their signals, left at the default, end the process wherever it is, also within a library's machine code.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(_LONGER * seconds)
        try:
            html = _render(*json.loads(line))
        except Exception:  # noqa: BLE001 - the libraries fail in many ways on odd texts (RecursionError, MemoryError)
            html = None
        # Before the answer: a process that ended just after it would be asked the next text.
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        answers.write(json.dumps(html).encode() + b"\n")
        answers.flush()


def _render(text: str, content_type: str, variant: str) -> str | None:
    # Imported when used: docutils and the sanitiser are large, and workers do not need them.
    if content_type == "text/markdown":
        from readme_renderer import markdown

        rendered = markdown.render(text, variant=variant)
    elif content_type == "text/plain":
        from readme_renderer import txt

        rendered = txt.render(text)
    else:
        from readme_renderer import rst

        rendered = rst.render(text, stream=io.StringIO())
    return None if rendered is None else str(rendered)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, seconds=int(sys.argv[1]))
