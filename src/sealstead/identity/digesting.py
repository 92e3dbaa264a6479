"""BLAKE2b-512 of an open file of any length, in pieces; of a long one, the next pieces are read meanwhile.

This is imported before all else, and imports next to nothing: the digest of a long file waits for it (`head_start`).
"""

from __future__ import annotations

import _thread
import os

try:
    from _blake2 import blake2b  # as `sealstead.primitives` has it, with more to import beside it
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sealstead.identity.sodium import SodiumDigest

DIGEST_BYTES = 64
HEAD_BYTES = 1 << 16
LONG = 1 << 22
_CHUNK = 1 << 20
_BUFFERS = 4
"""So many of them are held of a long file."""


class Digested:
    """`head` is the begin of the file, or all of it and `whole`; `facts` tell it from every other file."""

    __slots__ = ("digest", "facts", "head", "whole")

    def __init__(self, digest: bytes, head: bytes, facts: tuple[int, ...], *, whole: bool) -> None:
        self.digest = digest
        self.head = head
        self.facts = facts
        self.whole = whole


def facts_of(status: os.stat_result) -> tuple[int, ...]:
    """Return what tells this content of a file from every other."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def digest_open(descriptor: int, watch: Callable[[], None] = lambda: None) -> Digested | None:
    """Return the digest of an open file, or None when the file changed meanwhile. `watch` is called at each piece.

    Raises:
        OSError: it cannot be read.
    """
    before = os.fstat(descriptor)
    long = before.st_size >= LONG
    head = b""
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        pieces = _pieces_ahead(file.readinto) if long else _pieces(file.readinto)
        digest = _digest_of_long() if long else blake2b()
        for piece in pieces:
            digest.update(piece)
            if len(head) <= HEAD_BYTES:
                head += piece[: HEAD_BYTES + 1]
            watch()
    facts = facts_of(os.fstat(descriptor))
    if facts_of(before) != facts:
        return None
    return Digested(digest.digest(), head[:HEAD_BYTES], facts, whole=len(head) <= HEAD_BYTES)


def _digest_of_long() -> blake2b | SodiumDigest:
    from sealstead.identity.sodium import sodium_digest

    return sodium_digest() or blake2b()


def _pieces(readinto: Callable[[memoryview], int | None]) -> Iterator[memoryview]:
    view = memoryview(bytearray(_CHUNK))
    while count := readinto(view):
        yield view[:count]


class _Buffer:
    """A piece that one thread fills while another takes the one before. Its locks stand for "free" and "filled"."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_CHUNK))
        self.count = 0
        self.failure: BaseException | None = None
        self.free, self.filled = _thread.allocate_lock(), _thread.allocate_lock()
        self.filled.acquire()


def _pieces_ahead(readinto: Callable[[memoryview], int | None]) -> Iterator[memoryview]:
    """Begin to read, and return the pieces of the file: each is good until the next is asked for, which is read meanwhile."""
    buffers = [_Buffer() for _ in range(_BUFFERS)]
    computing_at = _processor()

    def read() -> None:
        _keep_off(computing_at)
        turn = 0
        while True:
            buffer = buffers[turn]
            buffer.free.acquire()
            try:
                buffer.count = readinto(buffer.view) or 0
            except BaseException as exc:  # noqa: BLE001 - handed to whoever waits, who raises it
                buffer.count, buffer.failure = 0, exc
            more = buffer.count
            buffer.filled.release()
            if not more:
                return
            turn = (turn + 1) % _BUFFERS

    # Not of `threading`, which takes a millisecond to import: nobody waits for this one.
    _thread.start_new_thread(read, ())
    return _taken(buffers)


def _taken(buffers: list[_Buffer]) -> Iterator[memoryview]:
    turn = 0
    while True:
        buffer = buffers[turn]
        buffer.filled.acquire()
        if buffer.failure is not None:
            raise buffer.failure
        if not buffer.count:
            return
        yield buffer.view[: buffer.count]
        buffer.free.release()
        turn = (turn + 1) % _BUFFERS


def _processor() -> int | None:
    """Return the number of the processor that this thread runs on; None where the system does not say (proc(5))."""
    try:
        with open("/proc/thread-self/stat", "rb", buffering=0) as file:  # noqa: PTH123 - no pathlib here
            return int(file.read(4096).rpartition(b")")[2].split()[36])
    except (OSError, ValueError, IndexError):
        return None


def _keep_off(processor: int | None) -> None:
    """Let this thread leave a processor to the one that computes, beside which it would be woken, and in its place.

    Only this one is bound, which needs little: the one that computes goes wherever the system finds room.
    """
    try:
        others = os.sched_getaffinity(0) - {processor} if processor is not None else ()
        if others:
            os.sched_setaffinity(0, others)
    except (AttributeError, OSError):  # not everywhere, and not for everybody
        return
