"""minisign keys: public and secret key files, encrypted or not.

Specification: https://jedisct1.github.io/minisign/ ("Public key format", "Secret key format"); the secret part is
sealed with scrypt (RFC 7914) whose cost is derived from libsodium's opslimit and memlimit.

Rules:
  * a secret key proves itself before it is used: its checksum, and that its seed makes its public half;
  * a public key of small order is refused: anybody could sign for it;
  * randomness (seed, key id, salt) is handed in.
"""

from __future__ import annotations

from sealstead.formats.minisign_text import (
    KEY_ID_BYTES,
    MAX_COMMENT_BYTES,
    UNTRUSTED,
    DamagedKeyError,
    KeyMemoryError,
    MinisignFormatError,
    PassphraseNeededError,
    WrongPassphraseError,
    comment_of,
    decode_line,
    encode_line,
    parse_key_id,
    shown_key_id,
    text_lines,
)
from sealstead.primitives import blake2b, compare_digest
from sealstead.record import Record
from sealstead.secret import Secret

SEED_BYTES = 32
SALT_BYTES = 32
MAX_PASSPHRASE_BYTES = 1024
"""`PASSWORDMAXBYTES`: minisign cannot take a longer one."""

_ALGORITHM = b"Ed"
_KDF_SCRYPT = b"Sc"
_KDF_NONE = bytes(2)
_CHECKSUM_BLAKE2B = b"B2"
_PUBLIC_BYTES = 2 + KEY_ID_BYTES + 32
_SIGNATURE_BYTES = 2 + KEY_ID_BYTES + 64
_SECRET_BYTES = 2 + 2 + 2 + SALT_BYTES + 8 + 8 + KEY_ID_BYTES + 64 + 32
_SEALED_FROM = 54
_NO_CHECKSUM = bytes(32)
"""What minisign -W writes in its place."""

_PUBLIC = "a minisign public key"
_SECRET = "a minisign secret key"  # noqa: S105 - a name in messages

# The y coordinates of all points whose order divides 8, canonical or not, sign bit cleared (libsodium,
# `ge25519_has_small_order`): under such a key the same signature is good for nearly any message.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class ScryptLimits(Record):
    """libsodium's two numbers, as they stand in the file. What they cost follows from `cost`."""

    opslimit: int
    memlimit: int

    def cost(self) -> tuple[int, int, int]:
        """Return scrypt's N, r and p (libsodium, `pickparams`)."""
        r = 8
        opslimit = max(self.opslimit, 32_768)
        by_operations = opslimit < self.memlimit // 32
        most = opslimit // (r * 4) if by_operations else self.memlimit // (r * 128)
        n_log2 = 1
        while 1 << n_log2 <= most // 2:
            n_log2 += 1
        if by_operations:
            return 1 << n_log2, r, 1
        return 1 << n_log2, r, max(1, min((opslimit // 4) >> n_log2, 0x3FFFFFFF) // r)


OWASP = ScryptLimits(opslimit=1 << 22, memlimit=1 << 27)
"""N=2^17, r=8, p=1: 128 MiB and a third of a second (OWASP Password Storage Cheat Sheet, scrypt)."""
SENSITIVE = ScryptLimits(opslimit=1 << 25, memlimit=1 << 30)
"""What minisign itself writes: 1 GiB and seconds. Read, and the most we read."""
TEST_ONLY = ScryptLimits(opslimit=1 << 15, memlimit=1 << 16)
"""Next to no protection."""


class PublicKey(Record):
    key_id: bytes
    """8 bytes, in the order in which files hold them."""
    key: bytes
    """32 bytes (RFC 8032, section 5.1.5)."""

    @property
    def id(self) -> str:
        return shown_key_id(self.key_id)

    @property
    def line(self) -> str:
        """The 56 characters that a profile and `minisign -P` take."""
        return encode_line(_ALGORITHM + self.key_id + self.key)


class SecretKey(Record):
    public: PublicKey
    seed: Secret[bytes]


def make_secret_key(seed: bytes, key_id: bytes) -> SecretKey:
    """Return the key of `seed` (32 random bytes), named `key_id` (8 random bytes). The caller brings randomness."""
    if len(seed) != SEED_BYTES or len(key_id) != KEY_ID_BYTES:
        raise ValueError("a seed has 32 bytes and a key id 8")
    return SecretKey(public=PublicKey(key_id=key_id, key=_public_of(seed)), seed=Secret(seed))


def matches_key_id(text: str, key: PublicKey) -> bool:
    """Tell whether `text` is the id of `key`, as minisign prints it or with its bytes in the order of the file.

    Raises:
        KeyIdError: not a key id at all.
    """
    return parse_key_id(text) in (key.id, key.key_id.hex().upper())


def parse_public_key(data: bytes | str) -> PublicKey:
    """Return the key of a `.pub` file, or of its second line alone.

    Raises:
        MinisignFormatError: neither, or a key of small order.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    lines = text_lines(raw.strip(b" \t\r\n"), _PUBLIC)
    if len(lines) == 2:  # noqa: PLR2004 - a comment and the key
        comment_of(lines.pop(0), UNTRUSTED, MAX_COMMENT_BYTES, _PUBLIC)
    if len(lines) != 1:
        raise MinisignFormatError(f"not {_PUBLIC}", hint="give the .pub file, or the second line of it")
    body = decode_line(lines[0], _PUBLIC)
    _check_kind(body, _PUBLIC_BYTES, _PUBLIC)
    public = PublicKey(key_id=body[2:10], key=body[10:])
    if bytes([*public.key[:31], public.key[31] & 0x7F]) in _SMALL_ORDER:
        raise MinisignFormatError("a weak public key: anybody could sign for it")
    return public


def serialize_public_key(key: PublicKey) -> bytes:
    return f"{UNTRUSTED}minisign public key {key.id}\n{key.line}\n".encode()


class SecretKeyFile(Record, hidden=("_body",)):
    """A secret key as its file holds it. `public` is None while the file is encrypted: the id is sealed too."""

    encrypted: bool
    public: PublicKey | None
    _body: Secret[bytes]

    def open(self, passphrase: Secret[str] | None = None) -> SecretKey:
        """Return the key; a passphrase for a file that is not encrypted is ignored.

        Raises:
            PassphraseNeededError: encrypted, and none given.
            WrongPassphraseError: it does not open the file.
            DamagedKeyError: seed and public half do not fit each other.
        """
        body = self._body.reveal()
        sealed = body[_SEALED_FROM:]
        if self.encrypted:
            if passphrase is None:
                raise PassphraseNeededError("the secret key is encrypted", hint="give its passphrase")
            limits = ScryptLimits(
                opslimit=int.from_bytes(body[38:46], "little"), memlimit=int.from_bytes(body[46:54], "little")
            )
            sealed = _xor(sealed, _stream(passphrase, body[6:38], limits, len(sealed)))
            if not compare_digest(_checksum(sealed[:72]), sealed[72:]):
                raise WrongPassphraseError(
                    "the passphrase does not open the secret key", hint="or the key file is damaged"
                )
        _check_halves(sealed)
        return SecretKey(public=PublicKey(key_id=sealed[:8], key=sealed[40:72]), seed=Secret(sealed[8:40]))


def parse_secret_key(data: bytes) -> SecretKeyFile:
    """Return what the file of a secret key holds; nothing is decrypted yet.

    Raises:
        MinisignFormatError: no secret key, of an unknown kind, or asking for more memory than `SENSITIVE`.
        DamagedKeyError: not encrypted, and its checksum is wrong.
    """
    lines = text_lines(data, _SECRET)
    if len(lines) != 2:  # noqa: PLR2004 - a comment and the key
        raise MinisignFormatError(f"not {_SECRET}", hint="a secret key file has two lines")
    comment_of(lines[0], UNTRUSTED, MAX_COMMENT_BYTES, _SECRET)
    body = decode_line(lines[1], _SECRET)
    _check_kind(body, _SECRET_BYTES, _SECRET)
    kdf, checksum = body[2:4], body[4:6]
    if checksum != _CHECKSUM_BLAKE2B or kdf not in (_KDF_SCRYPT, _KDF_NONE):
        raise MinisignFormatError(f"not {_SECRET} of a known kind")
    if kdf == _KDF_SCRYPT:
        opslimit, memlimit = (int.from_bytes(body[at : at + 8], "little") for at in (38, 46))
        if opslimit > SENSITIVE.opslimit or memlimit > SENSITIVE.memlimit:
            raise MinisignFormatError("the secret key asks for more than 1 GiB of memory to be opened")
        return SecretKeyFile(encrypted=True, public=None, _body=Secret(body))
    plain = body[_SEALED_FROM:]
    if plain[72:] == _NO_CHECKSUM:
        _check_halves(plain)
    elif not compare_digest(_checksum(plain[:72]), plain[72:]):
        raise DamagedKeyError("the secret key is damaged: its checksum is wrong")
    public = PublicKey(key_id=plain[:8], key=plain[40:72])
    return SecretKeyFile(encrypted=False, public=public, _body=Secret(body))


def serialize_secret_key(
    key: SecretKey, *, passphrase: Secret[str] | None, salt: bytes = b"", limits: ScryptLimits = OWASP
) -> bytes:
    """Return the file of `key`, sealed under `passphrase` with `salt` (32 random bytes), or in the clear."""
    plain = key.public.key_id + key.seed.reveal() + key.public.key
    plain += _checksum(plain)
    if passphrase is None:
        head = _ALGORITHM + _KDF_NONE + _CHECKSUM_BLAKE2B + bytes(SALT_BYTES + 16)
        return f"{UNTRUSTED}minisign secret key\n{encode_line(head + plain)}\n".encode()
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    numbers = limits.opslimit.to_bytes(8, "little") + limits.memlimit.to_bytes(8, "little")
    head = _ALGORITHM + _KDF_SCRYPT + _CHECKSUM_BLAKE2B + salt + numbers
    sealed = _xor(plain, _stream(passphrase, salt, limits, len(plain)))
    return f"{UNTRUSTED}minisign encrypted secret key\n{encode_line(head + sealed)}\n".encode()


def _check_kind(body: bytes, length: int, what: str) -> None:
    kinds = {_PUBLIC_BYTES: _PUBLIC, _SECRET_BYTES: _SECRET, _SIGNATURE_BYTES: "a minisign signature"}
    if len(body) != length:
        found = kinds.get(len(body))
        raise MinisignFormatError(f"not {what}" + (f" but {found}" if found else ": of another length"))
    if body[:2] != _ALGORITHM:
        raise MinisignFormatError(f"not {what} of a known kind")


def _checksum(plain: bytes) -> bytes:
    return blake2b(_ALGORITHM + plain, digest_size=32).digest()


def _stream(passphrase: Secret[str], salt: bytes, limits: ScryptLimits, length: int) -> bytes:
    n, r, p = limits.cost()
    # OpenSSL counts a little more than the 128 * N * r of the table itself.
    memory = 128 * r * (n + p + 2) + (1 << 20)
    password = passphrase.reveal().encode("utf-8", "surrogateescape")
    import hashlib  # of the system's library, which encrypted keys alone need

    try:
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
    except (MemoryError, ValueError):
        needed = f"{128 * r * max(n, p) >> 20} MiB"
        raise KeyMemoryError(f"opening the secret key needs {needed} of memory, which is not there") from None


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _check_halves(plain: bytes) -> None:
    if not compare_digest(_public_of(plain[8:40]), plain[40:72]):
        raise DamagedKeyError("the secret key is damaged: its two halves do not fit")


def _public_of(seed: bytes) -> bytes:
    # Imported when used: a command that only looks need not wait for it.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
