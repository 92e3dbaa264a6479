"""Identity keys for tests: made from a number, so that every run has the same ones."""

from __future__ import annotations

import hashlib

from sealstead.formats.minisign import SecretKey, make_secret_key
from sealstead.formats.minisign_key import TEST_ONLY, serialize_secret_key
from sealstead.secret import Secret


def key(number: int = 1) -> SecretKey:
    digest = hashlib.sha256(b"identity key for tests %d" % number).digest()
    return make_secret_key(digest, hashlib.sha256(digest).digest()[:8])


def key_file(number: int = 1, passphrase: str | None = None) -> bytes:
    sealed = None if passphrase is None else Secret(passphrase)
    return serialize_secret_key(key(number), passphrase=sealed, salt=bytes(32), limits=TEST_ONLY)
