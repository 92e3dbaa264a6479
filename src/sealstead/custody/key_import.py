"""Signing keys that come in a file: PKCS#12 (`.pfx`, `.p12`) and PEM.

What is wrong with a file is told without quoting it, and without the text of the library that read it. Nor does a file say how
long a processor works for it: rounds of key derivation are counted before the library carries them out, and a process of its
own, which can be ended, opens a PKCS#12 file first.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from sealstead.custody.signers import SoftwareSigner, signer_of
from sealstead.errors import KeyUnavailableError, ParseError
from sealstead.formats.key_work import rounds_of
from sealstead.secret import Secret

MAX_BYTES: Final = 1_000_000
MAX_ROUNDS: Final = 2_000_000
"""All parts of a file together: a few seconds. OpenSSL writes 6144, and 1,800,000 when told what OWASP recommends."""
# Possessive: a file of beginnings without an end is read once, not once for each.
_PEM_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40}+)-----\s(?:[^-]++|-(?!-{4}))*+-----END \1-----")
_TRIAL_SECONDS: Final = 20.0
_TRIAL: Final = """
import sys
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
data = sys.stdin.buffer.read()
size = int.from_bytes(data[1:5], "big")
load_pkcs12(data[5 + size :], data[5 : 5 + size] if data[0] else None)
"""
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


class MalformedKeyFileError(ParseError):
    """A file that should hold a key and its certificate is of another format, or damaged."""

    code = "malformed-key-file"


class CostlyKeyFileError(ParseError):
    """A file with a key asks for more rounds of key derivation than any program writes."""

    code = "costly-key-file"


class WrongKeyFilePasswordError(KeyUnavailableError):
    """The password does not open the file, or it needs one."""

    code = "wrong-key-file-password"


@dataclass(frozen=True, kw_only=True)
class KeyMaterial:
    """What a file held. `certificates` are DER, in the file's order, the key's own first where the format says which."""

    signer: SoftwareSigner
    certificates: tuple[bytes, ...]


def read_pfx(data: bytes, password: Secret[str] | None) -> KeyMaterial:
    """Read a PKCS#12 file.

    Raises:
        MalformedKeyFileError, CostlyKeyFileError, WrongKeyFilePasswordError, UnsupportedKeyError
    """
    _bounded(data)
    if data[:1] != b"\x30":
        raise MalformedKeyFileError("the file is no PKCS#12 file", hint="a PEM file is read with --pem")
    _check_work(data, "the PKCS#12 file cannot be read")
    _try_to_open(data, password)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old ciphers and indefinite lengths: what Windows exports
            found = pkcs12.load_pkcs12(data, password.reveal().encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library tells a wrong password and a damaged file apart by its text alone.
        raise WrongKeyFilePasswordError(
            "the PKCS#12 file does not open: the password is wrong or missing, or the file is damaged"
        ) from None
    if found.key is None or found.cert is None:
        raise MalformedKeyFileError("the PKCS#12 file holds no key with its certificate")
    own = found.cert.certificate
    others = [one.certificate for one in found.additional_certs]
    return KeyMaterial(
        signer=signer_of(found.key),
        certificates=tuple(_der(one) for one in (own, *others)),
    )


def read_pem(data: bytes, password: Secret[str] | None) -> KeyMaterial:
    """Read one private key and its certificates, in any order, from PEM.

    Raises:
        MalformedKeyFileError, CostlyKeyFileError, WrongKeyFilePasswordError, UnsupportedKeyError
    """
    _bounded(data)
    blocks = [(match[1], match[0]) for match in _PEM_BLOCK.finditer(data)]
    keys = [block for name, block in blocks if name.endswith(b"PRIVATE KEY")]
    if len(keys) != 1:
        raise MalformedKeyFileError(f"the PEM file holds {len(keys)} private keys, not one")
    return KeyMaterial(signer=_pem_key(keys[0], password), certificates=read_certificates(data))


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file, or the one of a DER file, as DER.

    Raises:
        MalformedKeyFileError: there is none, or one is damaged.
    """
    _bounded(data)
    blocks = [match[0] for match in _PEM_BLOCK.finditer(data) if match[1] == b"CERTIFICATE"]
    try:
        if data[:1] == b"\x30":
            return (_der(x509.load_der_x509_certificate(data)),)
        found = tuple(_der(x509.load_pem_x509_certificate(block)) for block in blocks)
    except ValueError:
        raise MalformedKeyFileError("a certificate of the file cannot be read") from None
    if not found:
        raise MalformedKeyFileError("the file holds no certificate")
    return found


def _pem_key(block: bytes, password: Secret[str] | None) -> SoftwareSigner:
    secret = password.reveal().encode() if password else None
    encrypted = b"ENCRYPTED" in block
    if block.startswith(_ENCRYPTED):
        try:
            der = base64.b64decode(block.removeprefix(_ENCRYPTED).partition(b"-")[0])
        except binascii.Error:
            der = b""
        _check_work(der, "the private key of the file cannot be read")
    try:
        key = serialization.load_pem_private_key(block, secret if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            raise WrongKeyFilePasswordError(
                "the private key does not open: the password is wrong or missing, or it is damaged"
            ) from None
        raise MalformedKeyFileError("the private key of the file cannot be read") from None
    return signer_of(key)


def _check_work(der: bytes, malformed: str) -> None:
    try:
        rounds = rounds_of(der)
    except ParseError:
        raise MalformedKeyFileError(malformed) from None
    if rounds > MAX_ROUNDS:
        raise CostlyKeyFileError(
            f"the file asks for {rounds} rounds of key derivation, more than {MAX_ROUNDS}",
            hint="export it again with fewer",
        )


def _try_to_open(data: bytes, password: Secret[str] | None) -> None:
    """Return when a process of its own has opened the file, or failed: within an encrypted part stands what nobody can count.

    In this process nothing could end it, and the library lets no other thread run meanwhile.
    """
    secret = password.reveal().encode() if password else b""
    given = bytes((password is not None,)) + len(secret).to_bytes(4, "big") + secret + data
    try:
        subprocess.run(  # noqa: S603 - the text above, by the running interpreter
            [sys.executable, "-P", "-W", "ignore", "-c", _TRIAL],
            input=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if not key.startswith("SEALSTEAD_")},
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # `from None`: the cause holds what was given.
        raise CostlyKeyFileError(
            f"the file is not open after {_TRIAL_SECONDS:.0f} seconds of key derivation",
            hint="export it again with fewer rounds",
        ) from None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _bounded(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise MalformedKeyFileError(f"the file is larger than {MAX_BYTES} bytes")
