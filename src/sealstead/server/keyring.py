"""Where the master keys come from: the environment, a file elsewhere, or `keyring.json` in the data directory.

Rules:
  * a ring is made in one case alone, at the first start: no ring, and no database that could need the lost one;
  * a ring that cannot be read is never replaced: what it sealed would be lost for good;
  * the file belongs to its reader alone (0600), and is no symbolic link in the data directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sealstead.custody.files import MissingFileError, read_private, write_private
from sealstead.custody.sealed import KeyRing

RING_FILE = "keyring.json"
MASTER_KEYS_ENV = "SEALSTEAD_MASTER_KEYS"


def load_ring(data_dir: Path, master_key_file: Path | None, environ: Mapping[str, str]) -> KeyRing:
    """Return the ring. It reads its source again when it meets the id of a key it does not know.

    Raises:
        KeyUnavailableError: missing, malformed, or readable by others.
    """
    if MASTER_KEYS_ENV in environ:
        return KeyRing.parse(environ[MASTER_KEYS_ENV], source=MASTER_KEYS_ENV)
    path = master_key_file or data_dir / RING_FILE

    def read() -> KeyRing:
        return KeyRing.parse(read_private(path).decode("utf-8", "replace"), source=str(path))

    try:
        ring = read()
    except MissingFileError as exc:
        if master_key_file:
            raise
        raise MissingFileError(
            exc.message,
            hint="restore it from your backup"
            if any(data_dir.glob("*.sqlite3"))
            else f"start the server once: sealstead serve --data-dir {data_dir}",
        ) from exc
    ring.reload_from(read)
    return ring


def make_ring(data_dir: Path) -> None:
    """Write a new ring; the caller has made sure that nothing is sealed under another."""
    write_private(data_dir / RING_FILE, KeyRing.generate().dump().encode(), replace=False)
