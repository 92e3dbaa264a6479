"""The new key of a rotation, put away durably before the server learns of it (DESIGN, section 5).

The client makes id and secret itself. It writes them down here, then tells the server the id and the hash, then brings
the key to where it is to go, then removes this record. So whatever ends the client, and whatever becomes of an answer,
the next run finds the key and asks for the same rotation again, with the same idempotency key.

The record stands beside the file that the key goes to, or in `~/.signotaur/pending` where it goes to a build server
only; there it stays until a run comes with the new key, for nobody else can say that the line has arrived. It is a
secret: 0600, written whole or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sealstead.custody import files
from sealstead.errors import ConflictError, KeyUnavailableError, ParseError
from sealstead.formats.api_key_text import ApiKeyText, parse_api_key
from sealstead.secret import Secret

PENDING = "pending"
_SUFFIX = ".rotation"
_VERSION = 1
_MAX_BYTES = 16 * 1024


class StagedKeyError(ConflictError):
    """What an interrupted rotation left behind cannot be read, or belongs to another key."""

    code = "staged-key"


@dataclass(frozen=True, kw_only=True)
class StagedKey:
    path: Path
    """Of the record."""
    key: ApiKeyText
    old_sha256: str
    """Of the whole text of the key that is being rotated."""
    idempotency_key: str
    overlap: timedelta | None
    auto_revoke: bool
    delivered: bool = False
    """It was written to standard output and into no file: only its use will show that somebody has read it there."""

    def replaces(self, key: Secret[str]) -> bool:
        """Whether `key` is the one that this rotation began with."""
        return hmac.compare_digest(self.old_sha256, fingerprint(key))

    def is_of(self, key: Secret[str]) -> bool:
        """Whether `key` is the new one already."""
        return hmac.compare_digest(fingerprint(self.key.text), fingerprint(key))

    def save(self) -> None:
        """Write the record, durable when this returns. Its directory must exist.

        Raises:
            FileExistsConflictError: there is one already.
            OSError: it cannot be written.
        """
        self._write(delivered=False, replace=False)

    def keep_until_used(self) -> None:
        """Keep the record of a key that went to a build server only; a line there can be lost.

        Raises:
            StagedKeyError: it cannot be written.
        """
        try:
            self._write(delivered=True, replace=True)
        except OSError as exc:
            raise StagedKeyError(f"{self.path} cannot be written: {exc.strerror or exc}") from exc

    def _write(self, *, delivered: bool, replace: bool) -> None:
        value = {
            "version": _VERSION,
            "what": "an API key that is taking the place of another: run rotate-key again, then this file goes",
            "key": self.key.text.reveal(),
            "old_sha256": self.old_sha256,
            "idempotency_key": self.idempotency_key,
            "overlap_seconds": None if self.overlap is None else int(self.overlap.total_seconds()),
            "auto_revoke": self.auto_revoke,
            "delivered": delivered,
        }
        files.write_private(self.path, json.dumps(value, indent=1).encode() + b"\n", replace=replace)

    def remove(self) -> None:
        """Remove the record, last of all.

        Raises:
            StagedKeyError: it cannot be removed; the next run tries again.
        """
        try:
            self.path.unlink(missing_ok=True)
            files.sync_directory(self.path.parent)
        except OSError as exc:
            raise StagedKeyError(
                f"{self.path} cannot be removed: {exc.strerror or exc}",
                hint="its key has gone where it was to go; run the same command again, or remove the file",
            ) from exc


def fingerprint(key: Secret[str]) -> str:
    return hashlib.sha256(key.reveal().encode()).hexdigest()


def staged_beside(path: Path) -> Path:
    """Return where the record of a rotation stands whose key goes to `path`, or comes from there."""
    return path.with_name(f".{path.name}{_SUFFIX}")


def staged_in_state(state: Path, key: Secret[str]) -> Path:
    """Return where the record of a rotation stands whose key goes into no file."""
    return state / PENDING / f"{fingerprint(key)[:32]}{_SUFFIX}"


def find_staged(places: Iterable[Path]) -> StagedKey | None:
    """Return the rotation that was left behind at one of `places`.

    Raises:
        StagedKeyError: a record cannot be read.
        UnsafeFileError, UnreadableFileError: it is no file of ours.
    """
    for place in dict.fromkeys(places):
        try:
            data, _ = files.read_secret(place, limit=_MAX_BYTES)
        except files.MissingFileError:
            continue
        return _parse(place, data)
    return None


def pending_of(state: Path, key: Secret[str]) -> StagedKey | None:
    """Return the rotation in the state directory that began with `key`, or made it."""
    try:
        entries = sorted((state / PENDING).glob(f"*{_SUFFIX}"))
    except OSError:
        return None
    for entry in entries:
        try:
            staged = find_staged([entry])
        except (StagedKeyError, KeyUnavailableError):
            continue  # of another key, as far as anybody can tell
        if staged is not None and (staged.replaces(key) or staged.is_of(key)):
            return staged
    return None


def _parse(path: Path, data: bytes) -> StagedKey:
    try:
        value = json.loads(data)
        if value["version"] != _VERSION:
            raise StagedKeyError(
                f"{path} is of another version of Sealstead", hint="finish the rotation with that version"
            )
        seconds = value["overlap_seconds"]
        return StagedKey(
            path=path,
            key=parse_api_key(value["key"]),
            old_sha256=str(value["old_sha256"]),
            idempotency_key=str(value["idempotency_key"]),
            overlap=None if seconds is None else timedelta(seconds=int(seconds)),
            auto_revoke=bool(value["auto_revoke"]),
            delivered=bool(value["delivered"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, ParseError):
        raise StagedKeyError(
            f"{path} is no record of a rotation",
            hint="if it holds a key that you need, copy it; then remove the file, or say --force",
        ) from None
