"""Remove what uploads left behind: stale incoming files, and blobs that no row names.

Both are what remains of a process that was killed, a refused race, or a deleted file. Rules:
  * nothing younger than the grace is touched: an upload may still be coming in, and a deletion may be regretted;
  * a blob is judged and removed under the store's exclusive lock, which writers hold shared from storing a blob
    until its row is committed: between the look at the rows and the removal no row can appear;
  * the lock is held for one of 256 directories at a time, so that uploads wait for moments only.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from sealstead.server.config import Config
from sealstead.server.index.blobs import LocalBlobs
from sealstead.server.index.models import File

GRACE = timedelta(days=1)
_QUERY_NAMES = 400
"""Names in one query: SQLite takes 999 variables in builds that are still about, and each name is used twice."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    incoming: int
    blobs: int
    bytes: int


def collect(blobs: LocalBlobs, *, at: datetime, grace: timedelta = GRACE, dry_run: bool = False) -> Collected:
    """Remove incoming files and unnamed blobs older than `grace` and say how many."""
    before = at - grace
    stale = _old_files(blobs.incoming, before)
    size = sum(stale.values())
    if not dry_run:
        for path in stale:
            path.unlink(missing_ok=True)
    removed = 0
    for first in sorted(blobs.root.glob("??")):
        with blobs.collecting():
            for path in _unnamed(first, before):
                removed += 1
                size += path.stat().st_size
                if not dry_run:
                    path.unlink()
    return Collected(incoming=len(stale), blobs=removed, bytes=size)


def collect_here(*, grace: timedelta = GRACE, dry_run: bool = False) -> Collected:
    """Collect in the store of this server, now."""
    config: Config = settings.SEALSTEAD
    blobs = LocalBlobs(config.data_dir / "blobs")
    return collect(blobs, at=config.clock.now(), grace=grace, dry_run=dry_run)


def _old_files(directory: Path, before: datetime) -> dict[Path, int]:
    """Return the files of `directory` that were last changed before then, with their sizes."""
    old = {}
    for path in directory.iterdir() if directory.is_dir() else ():
        # An upload that is over takes its incoming file away while we look.
        with suppress(FileNotFoundError):
            facts = path.stat()
            if stat.S_ISREG(facts.st_mode) and datetime.fromtimestamp(facts.st_mtime, UTC) < before:
                old[path] = facts.st_size
    return old


def _unnamed(first: Path, before: datetime) -> list[Path]:
    """The old blobs below one directory that no file names. A deleted file names its blob until the grace is over."""
    old = {first.name + path.name: path for path in _old_files(first, before)}
    for some in _slices(list(old)):
        named = File.objects.filter(Q(blake2b__in=some) | Q(metadata_blake2b__in=some)).filter(
            Q(deleted_at__isnull=True) | Q(deleted_at__gte=before)
        )
        for pair in named.values_list("blake2b", "metadata_blake2b"):
            for name in pair:
                old.pop(name, None)
    return [old[name] for name in sorted(old)]


def _slices(names: list[str]) -> Iterator[Iterable[str]]:
    for start in range(0, len(names), _QUERY_NAMES):
        yield names[start : start + _QUERY_NAMES]
