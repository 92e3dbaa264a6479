"""What is true about keys, profiles and proofs, read without the product: a second opinion.

Formats from the outside: minisign's secret key is 158 bytes, of which the last 104 are key id, seed, public key and
checksum; a full proof is JSON whose signature is Ed25519 over the BLAKE2b-512 of the rest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECRET_BYTES, PUBLIC_BYTES = 158, 42
NO_KDF = b"\0\0"


@dataclass(frozen=True)
class SecretFile:
    """`public` is the 56-character line, or None for an encrypted key that no passphrase opened."""

    path: Path
    public: str | None


def read_secret(data: bytes, passphrases: Sequence[str] = ()) -> str | None:
    """Return the public line of a minisign secret key, None if it is encrypted and none of `passphrases` opens it.

    Raises:
        ValueError: the key is not whole.
    """
    lines = data.decode().splitlines()
    if len(lines) != 2 or not lines[0].startswith("untrusted comment: "):
        raise ValueError("not two lines")
    raw = base64.b64decode(lines[1], validate=True)
    if len(raw) != SECRET_BYTES or raw[:2] != b"Ed":
        raise ValueError("not a secret key")
    if raw[2:4] != NO_KDF:
        return next((line for each in passphrases if (line := _opened(raw, each))), None)
    key_id, seed, public, checksum = raw[54:62], raw[62:94], raw[94:126], raw[126:]
    if checksum not in (bytes(32), hashlib.blake2b(b"Ed" + key_id + seed + public, digest_size=32).digest()):
        raise ValueError("the checksum is wrong")
    made = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    if made.public_bytes(Encoding.Raw, PublicFormat.Raw) != public:
        raise ValueError("the two halves do not fit")
    return base64.b64encode(b"Ed" + key_id + public).decode()


def _opened(raw: bytes, passphrase: str) -> str:
    """Return the public line of an encrypted key, empty if the passphrase is another one."""
    salt, work, memory = raw[6:38], *struct.unpack("<QQ", raw[38:54])
    # As libsodium chooses them: r is 8, and the smaller of the two limits says what n is.
    most = work // 32 if work < memory // 32 else memory // 1024
    n = 1 << (most.bit_length() - 1)
    p = 1 if work < memory // 32 else max(1, min(work // 4 // n, 0x3FFFFFFF) // 8)
    stream = hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=8, p=p, dklen=104, maxmem=(2 << 30) - 1)
    plain = bytes(left ^ right for left, right in zip(raw[54:], stream, strict=True))
    if hashlib.blake2b(b"Ed" + plain[:72], digest_size=32).digest() != plain[72:]:
        return ""
    return base64.b64encode(b"Ed" + plain[:8] + plain[40:72]).decode()


def is_sealed(path: Path) -> bool:
    """Tell whether a secret key file is encrypted."""
    return base64.b64decode(path.read_bytes().splitlines()[1])[2:4] != NO_KDF


def read_public(data: bytes) -> str:
    line = data.decode().splitlines()[-1].strip()
    raw = base64.b64decode(line, validate=True)
    if len(raw) != PUBLIC_BYTES or raw[:2] != b"Ed":
        raise ValueError("not a public key")
    return line


def is_secret(path: Path) -> bool:
    return path.name.startswith("minisign") and (".key" in path.name or path.name.endswith(".bak"))


def secrets_in(directory: Path, passphrases: Sequence[str] = ()) -> list[SecretFile]:
    """Return every secret key in `directory`, under whatever name. One that is not whole fails the case."""
    found = []
    for path in sorted(directory.glob("minisign*")):
        if path.name.endswith(".tmp") or not is_secret(path):
            continue
        try:
            found.append(SecretFile(path, read_secret(path.read_bytes(), passphrases)))
        except ValueError as exc:
            if path.name.endswith(".staged"):
                continue
            raise AssertionError(f"{path.name} is half written: {exc}") from exc
        assert path.lstat().st_mode & 0o077 == 0, f"{path.name} is open to others"
    return found


def check_whole(directory: Path) -> None:
    """Nothing in the key directory is half-written."""
    secrets_in(directory)
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.name.endswith((".staged", ".tmp")):
            continue  # judged by a digest before it is used, and gone in the end
        try:
            if path.name.endswith(".pub"):
                read_public(path.read_bytes())
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
        except ValueError as exc:
            raise AssertionError(f"{path.name} is half written: {exc}") from exc


def nothing_left(directory: Path) -> None:
    """No temporary, staged or journal file is left when all is over."""
    left = [
        path.name
        for path in directory.rglob("*")
        if path.name.endswith((".tmp", ".staged")) or "journal" in path.name
    ]
    assert left == [], f"left behind: {left}"


def profile_of(path: Path) -> dict[str, Any]:
    """Return the profile's tables; a file that is not whole fails the case."""
    try:
        value = tomllib.loads(path.read_bytes().decode())
    except ValueError as exc:
        raise AssertionError(f"{path.name} does not parse: {exc}") from exc
    table: dict[str, Any] = value.get("tool", {}).get("pypi-profile", value)
    return table


def public_key_of(path: Path) -> str:
    return str(profile_of(path).get("verification", {}).get("public_key", ""))


def check_proof(token: str, public_line: str) -> dict[str, Any]:
    """Return the claim of a full proof that the key behind `public_line` signed."""
    body = token.removeprefix("pypi-profile-proof: ").strip()
    claim: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    signature = base64.b64decode(claim.pop("signature"))
    message = json.dumps(claim, sort_keys=True, separators=(",", ":")).encode()
    raw = base64.b64decode(public_line)
    assert signature[2:10] == raw[2:10], "the proof names another key"
    Ed25519PublicKey.from_public_bytes(raw[10:]).verify(signature[10:], hashlib.blake2b(message).digest())
    return claim


def check_signature(signature: bytes, message: bytes, public_line: str) -> None:
    """A whole minisign signature (prehashed) of `message`, by the key behind `public_line`."""
    _, line, trusted, whole = signature.decode().splitlines()
    raw, key = base64.b64decode(line), base64.b64decode(public_line)
    assert raw[:2] == b"ED"
    assert raw[2:10] == key[2:10], "signed with another key"
    public = Ed25519PublicKey.from_public_bytes(key[10:])
    public.verify(raw[10:], hashlib.blake2b(message).digest())
    public.verify(base64.b64decode(whole), raw[10:] + trusted.removeprefix("trusted comment: ").encode())


def check_stored_proofs(path: Path) -> int:
    """Every proof stored in the profile is one of the profile's key. Returns how many there are."""
    line, count = public_key_of(path), 0
    for entry in profile_of(path).get("profiles", []):
        if entry.get("stored_proof"):
            claim = check_proof(entry["stored_proof"], line)
            assert claim["subject"] == entry["url"]
            count += 1
    return count


def keyring_entries(path: Path) -> dict[str, str | None]:
    """Return the public line behind each entry; one that holds no key fails the case."""
    if not path.exists():
        return {}
    return {
        name.partition("/")[2]: read_secret(base64.b64decode(value))
        for name, value in json.loads(path.read_text()).items()
    }
