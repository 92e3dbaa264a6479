"""Sealing under the master keys: what the database holds is of no use without the ring.

AES-256-GCM (NIST SP 800-38D). A sealed value is `version(1) ‖ key id(8) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`;
the associated data names table, column and row, so that a value moved to another row does not open.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealstead.errors import KeyUnavailableError, VerificationError

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12


class UnknownMasterKeyError(KeyUnavailableError):
    code = "unknown-master-key"


class SealBrokenError(VerificationError):
    code = "seal-broken"


class KeyRing:
    """Master keys by id. The active one seals; each of them opens what it sealed."""

    def __init__(self, keys: dict[str, bytes], active: str) -> None:
        self._keys = keys
        self.active = active

    @classmethod
    def generate(cls) -> Self:
        key_id = os.urandom(_KEY_ID).hex()
        return cls({key_id: os.urandom(32)}, key_id)

    @classmethod
    def load(cls, path: Path) -> Self:
        document = json.loads(path.read_text())
        return cls({k: base64.b64decode(v) for k, v in document["keys"].items()}, document["active"])

    def dump(self) -> str:
        keys = {k: base64.b64encode(v).decode() for k, v in self._keys.items()}
        return json.dumps({"version": 1, "active": self.active, "keys": keys}, indent=2) + "\n"

    def derive(self, purpose: str, *, key_id: str | None = None) -> bytes:
        """Return a 32-byte key for `purpose` (HKDF-SHA256, RFC 5869), from the active master key unless one is named."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=b"sealstead:" + purpose.encode()).derive(
            self._keys[key_id or self.active]
        )

    def seal(self, value: bytes, *, context: tuple[str, ...]) -> bytes:
        nonce = os.urandom(_NONCE)
        head = _VERSION + bytes.fromhex(self.active)
        return head + nonce + AESGCM(self.derive("seal")).encrypt(nonce, value, _associated(context))

    def open(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """Return what was sealed for `context`.

        Raises:
            UnknownMasterKeyError: the ring lacks the key it names.
            SealBrokenError: changed, truncated, or sealed for another row.
        """
        key_id = sealed[1 : 1 + _KEY_ID].hex()
        if sealed[:1] != _VERSION or len(sealed) < 1 + _KEY_ID + _NONCE + 16:
            raise SealBrokenError("a sealed value is malformed")
        if key_id not in self._keys:
            raise UnknownMasterKeyError(f"the key ring has no master key {key_id}")
        nonce = sealed[1 + _KEY_ID : 1 + _KEY_ID + _NONCE]
        try:
            return AESGCM(self.derive("seal", key_id=key_id)).decrypt(
                nonce, sealed[1 + _KEY_ID + _NONCE :], _associated(context)
            )
        except InvalidTag as exc:
            raise SealBrokenError("a sealed value does not belong to its row, or was changed") from exc


def _associated(context: tuple[str, ...]) -> bytes:
    # Length-prefixed, so that no two contexts share an encoding.
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in context)
