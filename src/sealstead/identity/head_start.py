"""A head start for one long file: a second process digests it while this one is still starting.

Half of the time of signing a long file is its digest, and a good part of the other half is the start of Python, whose
lock a thread would have to wait for at each piece. A process of its own waits for nobody.

Rules:
  * only a regular file is opened, and without waiting: no pipe, no device, no directory;
  * what was found counts only for the file that is, to the inode and the nanosecond, the one asked for afterwards, and
    that did not change while it was read; otherwise it is read again in its turn, and that tells what is wrong;
  * it ends with the command, whatever ends that.

This is imported before all else, and takes neither `pathlib` nor `typing`.
"""

from __future__ import annotations

import atexit
import os
import stat

from sealstead.identity.digesting import DIGEST_BYTES, HEAD_BYTES, LONG, Digested, digest_open, facts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ANSWER_BYTES = DIGEST_BYTES + HEAD_BYTES
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)

_started: dict[tuple[int, ...], tuple[int, int]] = {}
"""By the facts of a file: from where its digest and its begin are to be read, and the process that tells."""


def begin_early(arguments: Sequence[str]) -> None:
    """Begin with the first long file among the arguments of a command, whether it will be asked for or not."""
    if not hasattr(os, "fork"):
        return
    for name in arguments:
        try:
            if not _is_long(os.stat(name)):  # noqa: PTH116 - no pathlib here
                continue
            descriptor = os.open(name, os.O_RDONLY | _AT_ONCE)
        except (OSError, ValueError):
            continue
        try:
            status = os.fstat(descriptor)
            if _is_long(status):
                _started[facts_of(status)] = _begin(descriptor)
                return
        except OSError:  # no process to be had: then without
            return
        finally:
            os.close(descriptor)


def digested_early(facts: tuple[int, ...]) -> Digested | None:
    """Return what was found out about the file with these facts, before it was asked for."""
    started = _started.pop(facts, None)
    if started is None:
        return None
    answers, process = started
    atexit.register(_wait_for, process)  # its time is ours; but now nothing waits for its end
    answer = b""
    while len(answer) < _ANSWER_BYTES and (piece := os.read(answers, _ANSWER_BYTES)):
        answer += piece
    os.close(answers)
    # Nothing: the file could not be read, or was another or changed, or the process was ended.
    if len(answer) != _ANSWER_BYTES:
        return None
    return Digested(answer[:DIGEST_BYTES], answer[DIGEST_BYTES:], facts, whole=False)


def _begin(descriptor: int) -> tuple[int, int]:
    """Start the process, and return where its answer will come from, and its number."""
    here = os.getpid()
    answers, end = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(answers)
        os.close(end)
        raise
    if process:
        os.close(end)
        return answers, process
    try:
        os.close(answers)
        _work(descriptor, end, here)
    finally:  # whatever happened: nothing of the command runs twice, and nothing is said twice
        os._exit(0)


def _wait_for(process: int) -> None:
    try:
        os.waitpid(process, 0)
    except ChildProcessError:
        # Whoever started us ignores SIGCHLD, and so do we: the system keeps nothing of a process that has ended.
        return


def _work(descriptor: int, end: int, parent: int) -> None:
    def watch() -> None:
        if os.getppid() != parent:
            os._exit(0)

    found = digest_open(descriptor, watch)
    answer = found.digest + found.head if found is not None else b""
    while answer:
        answer = answer[os.write(end, answer) :]


def _is_long(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size >= LONG
