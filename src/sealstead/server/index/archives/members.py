"""Rules on the members of any archive: their paths, number and size."""

from __future__ import annotations

from sealstead.server.index.upload_errors import InvalidArchiveError

MAX_MEMBERS = 100_000
MAX_PATH_LENGTH = 4096
BOMB_RATIO = 50
BOMB_FLOOR_BYTES = 64 * 1024 * 1024
"""An archive that stays below is no bomb, whatever its ratio (the public index's two figures)."""
MAX_TEXT_BYTES = 8 * 1024 * 1024
"""METADATA, PKG-INFO, RECORD and their kin are read into memory; a RECORD of 100,000 lines is below this."""


def largest_expansion(archive_bytes: int) -> int:
    """How many bytes an archive of `archive_bytes` may hold unpacked."""
    return max(BOMB_FLOOR_BYTES, BOMB_RATIO * archive_bytes)


def invalid(reason: str) -> InvalidArchiveError:
    return InvalidArchiveError(f"Invalid distribution file. {reason}.")


def check_path(path: str) -> None:
    """Return if unpacking `path` below a directory stays below it, on any system, and can be shown.

    Raises:
        InvalidArchiveError
    """
    if not path or len(path) > MAX_PATH_LENGTH:
        raise invalid("A member's name is empty or too long")
    if not path.isprintable():
        raise invalid("A member's name has characters that cannot be printed")
    if path.startswith("/") or "\\" in path or path[1:2] == ":":
        raise invalid(f"Member {path!r} has an absolute or foreign path")
    parts = path.removesuffix("/").split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise invalid(f"Member {path!r} leaves its directory or is not in its shortest form")
