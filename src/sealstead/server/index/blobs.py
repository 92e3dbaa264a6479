"""Content-addressed files: what a distribution file's bytes are, apart from what they are called.

A blob's name is its BLAKE2b-256, lower hex; in a local store it lies at `<aa>/<rest>`.
Rules:
  * a blob that can be seen is complete: it is written under `incoming/`, synced, then renamed into place, and
    the directories are synced before any row may name it;
  * a row never names a blob that is not there: blobs come first, rows after, and both under `writing()`, which
    keeps the collector (`collect.py`) out in between;
  * a process that is killed leaves at most a stale incoming file or a blob without a row, for the collector.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, Self

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True, kw_only=True)
class Digests:
    """Lower hex."""

    sha256: str
    blake2b: str
    md5: str


class IncomingFile:
    """A file on its way in, hashed while it is written. Closing it without `store()` deletes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        self._sha256 = hashlib.sha256()
        self._blake2b = hashlib.blake2b(digest_size=32)
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            OSError: the disk is full, or a quota or limit is reached.
        """
        for digest in (self._sha256, self._blake2b, self._md5):
            digest.update(data)
        self.size += len(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def fileno(self) -> int:
        return self._fd

    def digests(self) -> Digests:
        return Digests(
            sha256=self._sha256.hexdigest(), blake2b=self._blake2b.hexdigest(), md5=self._md5.hexdigest()
        )

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class BlobStore(Protocol):
    """Where blobs are kept. Names are BLAKE2b-256 in lower hex."""

    def receive(self) -> IncomingFile: ...

    def store(self, incoming: IncomingFile) -> str:
        """Keep the incoming file under its name, durably, and return the name. It may be there already."""

    def put(self, data: bytes) -> str:
        """Keep `data` durably and return its name."""

    def path(self, name: str) -> Path: ...

    def open(self, name: str) -> BinaryIO: ...

    def writing(self) -> AbstractContextManager[None]:
        """Hold this from storing a blob until the row that names it is committed."""


class LocalBlobs:
    """Blobs in a directory on this machine (`data_dir/blobs`)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self._lock = root / "collect.lock"

    def receive(self) -> IncomingFile:
        path = self.incoming / secrets.token_hex(16)
        try:
            return IncomingFile(path)
        except FileNotFoundError:
            self.root.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            self.incoming.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            return IncomingFile(path)

    def store(self, incoming: IncomingFile) -> str:
        name = incoming.digests().blake2b
        os.fsync(incoming.fileno())
        target = self.path(name)
        try:
            incoming.path.rename(target)
        except FileNotFoundError:
            self._make_directory(target.parent)
            incoming.path.rename(target)
        # Also when the blob was there before: whoever renamed it may not have come to this point yet.
        _sync_directory(target.parent)
        return name

    def put(self, data: bytes) -> str:
        with self.receive() as incoming:
            incoming.write(data)
            return self.store(incoming)

    def path(self, name: str) -> Path:
        return self.root / f"{name[:2]}/{name[2:]}"

    def open(self, name: str) -> BinaryIO:
        return self.path(name).open("rb")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A shared lock: writers do not wait for each other, the collector waits for all of them."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """The exclusive lock: while it is held, no blob is stored and no row that names one is committed."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self.root.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)

    def _make_directory(self, path: Path) -> None:
        # One level: 256 directories are soon all there, and each new one costs another sync.
        with suppress(FileExistsError):
            path.mkdir(mode=DIRECTORY_MODE)
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
