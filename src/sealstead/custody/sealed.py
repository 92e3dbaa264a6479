"""Sealing under the master keys: what the database holds is of no use without the ring.

AES-256-GCM (NIST SP 800-38D). A sealed value is `version(1) ‖ key id(8) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`;
the associated data names table, column and row, so that a value moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealstead.errors import KeyUnavailableError, VerificationError

_VERSION = b"\x01"
_KEY = 32
_KEY_ID = 8
_KEY_ID_TEXT = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NONCE = 12


class UnknownMasterKeyError(KeyUnavailableError):
    """A sealed value names a master key that the key ring does not hold."""

    code = "unknown-master-key"


class SealBrokenError(VerificationError):
    """A sealed value was changed, cut, or moved to another row."""

    code = "seal-broken"


class MalformedKeyRingError(KeyUnavailableError):
    """The key ring is damaged, or is something else."""

    code = "malformed-key-ring"


class KeyRing:
    """Master keys by id. The active one seals; each of them opens what it sealed."""

    def __init__(self, keys: dict[str, bytes], active: str) -> None:
        self._keys = keys
        self.active = active
        self._reload: Callable[[], KeyRing] | None = None

    @classmethod
    def generate(cls) -> Self:
        key_id = os.urandom(_KEY_ID).hex()
        return cls({key_id: os.urandom(_KEY)}, key_id)

    @classmethod
    def parse(cls, text: str, *, source: str) -> Self:
        """Return the ring that `dump` wrote; `source` is named in the error.

        Raises:
            MalformedKeyRingError: not such a document. The message quotes nothing of it.
        """
        try:
            document = json.loads(text)
            keys = {k: base64.b64decode(v, validate=True) for k, v in document["keys"].items()}
            active = document["active"]
            good = (
                document["version"] == 1
                and active in keys
                and all(len(v) == _KEY and _KEY_ID_TEXT.fullmatch(k) for k, v in keys.items())
            )
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            good = False
        if not good:
            # Outside the handler, so that no cause with a part of the keys travels along.
            raise MalformedKeyRingError(
                f"{source} is not a key ring, or is damaged",
                hint="restore it from your backup; a new ring would not open what this one sealed",
            )
        return cls(keys, active)

    def reload_from(self, source: Callable[[], KeyRing]) -> None:
        """Ask `source` for a newer ring when a value names a key that this one lacks."""
        self._reload = source

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def dump(self) -> str:
        keys = {k: base64.b64encode(v).decode() for k, v in self._keys.items()}
        return json.dumps({"version": 1, "active": self.active, "keys": keys}, indent=2) + "\n"

    def derive(self, purpose: str, *, key_id: str | None = None) -> bytes:
        """Return a 32-byte key for `purpose` (HKDF-SHA256, RFC 5869), from the active master key unless one is named."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=b"sealstead:" + purpose.encode()).derive(
            self._key(key_id or self.active)
        )

    def seal(self, value: bytes, *, context: tuple[str, ...]) -> bytes:
        # Read once: another thread may reload the ring, and an id beside the wrong key would never open.
        key_id = self.active
        nonce = os.urandom(_NONCE)
        key = AESGCM(self.derive("seal", key_id=key_id))
        return _VERSION + bytes.fromhex(key_id) + nonce + key.encrypt(nonce, value, _associated(context))

    def open(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """Return what was sealed for `context`.

        Raises:
            UnknownMasterKeyError: the ring lacks the key it names.
            SealBrokenError: changed, truncated, or sealed for another row.
        """
        key_id = sealed[1 : 1 + _KEY_ID].hex()
        if sealed[:1] != _VERSION or len(sealed) < 1 + _KEY_ID + _NONCE + 16:
            raise SealBrokenError("a sealed value is malformed")
        nonce = sealed[1 + _KEY_ID : 1 + _KEY_ID + _NONCE]
        try:
            return AESGCM(self.derive("seal", key_id=key_id)).decrypt(
                nonce, sealed[1 + _KEY_ID + _NONCE :], _associated(context)
            )
        except InvalidTag as exc:
            raise SealBrokenError("a sealed value does not belong to its row, or was changed") from exc

    def holds_key_of(self, sealed: bytes) -> bool:
        """Tell whether the ring has the master key that `sealed` names; it may still fail to open."""
        return sealed[1 : 1 + _KEY_ID].hex() in self._keys

    def _key(self, key_id: str) -> bytes:
        if key_id not in self._keys and self._reload is not None:
            newer = self._reload()
            # Replaced whole: other threads see the old ring or the new one.
            self._keys, self.active = {**self._keys, **newer._keys}, newer.active  # noqa: SLF001 - its own class
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownMasterKeyError(f"the key ring has no master key {key_id}") from None


def _associated(context: tuple[str, ...]) -> bytes:
    # Length-prefixed, so that no two contexts share an encoding.
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in context)
