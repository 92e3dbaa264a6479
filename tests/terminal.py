"""Runs a program at a terminal of its own: what it asks is answered, what it shows is kept."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shown:
    """What stood on the screen in the end, and how the program ended."""

    code: int
    screen: str
    asked: tuple[str, ...]


def run_at_terminal(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    answers: Mapping[str, str],
    seconds: float = 300,
) -> Shown:
    """Run a program whose stdin, stdout and stderr are a terminal.

    A question is a last line without an end that a pattern of `answers` finds. One that nobody answers ends the test.
    """
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # line feeds stay as they are
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    process = subprocess.Popen(
        list(arguments),
        cwd=cwd,
        env=dict(environment) | {"TERM": "xterm", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, asked = "", []
    try:
        while True:
            ready, _, _ = select.select([ours], [], [], seconds)
            assert ready, f"nothing for {seconds} seconds after: {shown[-500:]}"
            part = b""
            with contextlib.suppress(OSError):  # Linux answers so when the other end is closed
                part = os.read(ours, 65536)
            if not part:
                break
            shown += part.decode(errors="replace")
            question = shown.rpartition("\n")[2]
            for pattern, answer in answers.items():
                if question.rstrip().endswith((":", "]", "?")) and re.search(pattern, question):
                    asked.append(question)
                    shown += "\n"
                    os.write(ours, answer.encode() + b"\n")
                    break
    finally:
        os.close(ours)
        if process.poll() is None:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return Shown(process.returncode, shown, tuple(asked))
