"""Pages of the read side, rendered once per change and not once per request.

A page is valid for one serial: the project's for a project's pages, the index's for lists (`serial.py`). The caller
asks the database for the serial at every request, so what another worker committed is never hidden; the bytes
come from this process's memory, else from the `Page` table, else they are rendered and put into both.

Rules:
  * a page is used only if its serial equals the one just read;
  * the entity tag begins with the revision of the renderer: pages that an older version of the software stored,
    or with other settings, are rendered again;
  * memory is bounded by bytes, and the page used longest ago goes first;
  * in one process a page is rendered by one thread; the others wait for its result.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import close_old_connections

from sealstead.server.index.reader import reader

MEMORY_BYTES: Final = 16 * 1024 * 1024
"""Per process. The list pages of 20,000 projects take 3 MB; a project page takes a few KB."""

_OVERHEAD: Final = 500
_MAX_KEY: Final = 240

_SELECT: Final = "SELECT serial, etag, body FROM index_page WHERE key = %s"
_STORE: Final = (
    "INSERT INTO index_page (key, serial, etag, body) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (key) DO UPDATE SET serial = excluded.serial, etag = excluded.etag, body = excluded.body"
)


@dataclass(frozen=True, slots=True)
class StoredPage:
    """`etag` is a complete entity tag, with its quotes."""

    serial: int
    etag: str
    body: bytes


class PageStore:
    """The pages of one process, in front of the `Page` table."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._limit = memory_bytes
        self._used = 0
        self._pages: OrderedDict[str, StoredPage] = OrderedDict()
        self._lock = threading.Lock()
        # Striped: two pages seldom share a lock, and the number of locks does not grow with the pages.
        self._rendering = tuple(threading.Lock() for _ in range(64))

    def get(
        self, key: str, *, serial: int, revision: str, render: Callable[[], tuple[int, bytes]]
    ) -> StoredPage:
        """Return the page of `key` as of `serial`.

        `render` returns the body and the serial it was rendered for, which may be newer than `serial`.
        """
        found = self.remembered(key, serial)
        if found is not None:
            return found
        with self._rendering[hash(key) % len(self._rendering)]:
            found = self.remembered(key, serial) or self._stored(key, serial, revision)
            if found is None:
                try:
                    rendered_for, body = render()
                finally:
                    # Rendering uses Django's own connection, and no Django request is there to end its use.
                    close_old_connections()
                digest = hashlib.blake2b(body, digest_size=12).hexdigest()
                found = StoredPage(rendered_for, f'"{revision}-{digest}"', body)
                # Best effort: where a writer is busy, the next process renders the page itself.
                reader().write(_STORE, (_row_key(key), found.serial, found.etag, found.body))
            self._remember(key, found)
            return found

    def clear(self) -> None:
        """Forget what is in memory, not what is stored."""
        with self._lock:
            self._pages.clear()
            self._used = 0

    def remembered(self, key: str, serial: int) -> StoredPage | None:
        """Return the page if this process holds it as of `serial`."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.serial != serial:
                return None
            self._pages.move_to_end(key)
            return page

    def _remember(self, key: str, page: StoredPage) -> None:
        size = len(page.body) + _OVERHEAD
        with self._lock:
            old = self._pages.pop(key, None)
            if old is not None:
                self._used -= len(old.body) + _OVERHEAD
            if size > self._limit:
                return
            self._pages[key] = page
            self._used += size
            while self._used > self._limit:
                _, evicted = self._pages.popitem(last=False)
                self._used -= len(evicted.body) + _OVERHEAD

    @staticmethod
    def _stored(key: str, serial: int, revision: str) -> StoredPage | None:
        row = reader().one(_SELECT, (_row_key(key),))
        if row is None or row[0] != serial or not row[1].startswith(f'"{revision}-'):
            return None
        return StoredPage(row[0], row[1], bytes(row[2]))


def _row_key(key: str) -> str:
    if len(key) <= _MAX_KEY:
        return key
    return f"{key[:100]}#{hashlib.blake2b(key.encode(), digest_size=32).hexdigest()}"


pages = PageStore()
"""This process's store."""
