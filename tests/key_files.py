"""Files with encrypted keys, as far as what they say about key derivation goes: nothing in them opens."""

from __future__ import annotations

from sealstead.formats.der import integer, null, octets, oid, seq, tag

PBES2, PBKDF2, SCRYPT = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
SALT = octets(b"saltsalt")


def key(*numbers: int, function: str = PBKDF2, salt: bytes = SALT) -> bytes:
    """An EncryptedPrivateKeyInfo whose password goes through this."""
    parameters = seq(
        seq(oid(function), seq(salt, *map(integer, numbers))), seq(oid("2.16.840.1.101.3.4.1.42"))
    )
    return seq(seq(oid(PBES2), parameters), octets(b"secret"))


def pfx(content: bytes, mac_rounds: int = 1) -> bytes:
    """PFX, section 4 of RFC 7292, around one AuthenticatedSafe."""
    data = oid("1.2.840.113549.1.7.1")
    digest = seq(seq(oid("2.16.840.1.101.3.4.2.1"), null()), octets(bytes(32)))
    return seq(integer(3), seq(data, tag(0, octets(content))), seq(digest, SALT, integer(mac_rounds)))


def shrouded(bag: bytes) -> bytes:
    data = oid("1.2.840.113549.1.7.1")
    return seq(seq(data, tag(0, octets(seq(seq(oid("1.2.840.113549.1.12.10.1.2"), tag(0, bag)))))))
