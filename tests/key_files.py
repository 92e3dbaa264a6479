"""Files with encrypted keys, as far as what they say about key derivation goes: no key in them opens."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from sealstead.formats.der import integer, null, octets, oid, seq, tag, tlv

PBES2, PBKDF2, SCRYPT = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
SALT = octets(b"saltsalt")
HMAC_SHA256 = seq(oid("1.2.840.113549.2.9"), null())


def key(*numbers: int, function: str = PBKDF2, salt: bytes = SALT) -> bytes:
    """An EncryptedPrivateKeyInfo whose password goes through this."""
    digest = [HMAC_SHA256] if function == PBKDF2 else []
    cipher = seq(oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16)))
    parameters = seq(seq(oid(function), seq(salt, *map(integer, numbers), *digest)), cipher)
    return seq(seq(oid(PBES2), parameters), octets(bytes(32)))


def pfx(content: bytes, mac_rounds: int = 1) -> bytes:
    """PFX, section 4 of RFC 7292, around one AuthenticatedSafe."""
    data = oid("1.2.840.113549.1.7.1")
    digest = seq(seq(oid("2.16.840.1.101.3.4.2.1"), null()), octets(bytes(32)))
    return seq(integer(3), seq(data, tag(0, octets(content))), seq(digest, SALT, integer(mac_rounds)))


def shrouded(bag: bytes) -> bytes:
    data = oid("1.2.840.113549.1.7.1")
    return seq(seq(data, tag(0, octets(seq(seq(oid("1.2.840.113549.1.12.10.1.2"), tag(0, bag)))))))


def hidden(bag: bytes, password: str) -> bytes:
    """A PFX that says within an encrypted part, which does open, what its key asks for."""
    salt, start = os.urandom(8), os.urandom(16)
    secret = PBKDF2HMAC(SHA256(), 32, salt, 1).derive(password.encode())
    padder, cipher = PKCS7(128).padder(), Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
    safe = seq(seq(oid("1.2.840.113549.1.12.10.1.2"), tag(0, bag)))
    content = cipher.update(padder.update(safe) + padder.finalize()) + cipher.finalize()
    function = seq(oid(PBKDF2), seq(octets(salt), integer(1), HMAC_SHA256))
    how = seq(oid(PBES2), seq(function, seq(oid("2.16.840.1.101.3.4.1.42"), octets(start))))
    part = seq(integer(0), seq(oid("1.2.840.113549.1.7.1"), how, tlv(0x80, content)))
    parts = seq(seq(oid("1.2.840.113549.1.7.6"), tag(0, part)))
    return seq(integer(3), seq(oid("1.2.840.113549.1.7.1"), tag(0, octets(parts))))
