"""A file of what may be lost: replaced whole, private, and not forced onto the disk, for that would be all the wait."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sealstead.custody.files import OWNER_FILE, make_private_directory


def write_cache(path: Path, content: bytes) -> None:
    """Replace the file at `path`, making its directory; what a crash leaves of it, readers take for an empty one.

    Raises:
        OSError: the directory cannot be written.
    """
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
