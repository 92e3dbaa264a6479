"""Private keys in this process, behind the port that every back end of signing keys fulfils.

A `Signer` signs what it is handed; what that may be is decided above (`server/signing/sign.py`), and only whole messages
get here, never a bare digest that somebody else made. `cryptography` releases the interpreter's lock while it signs, so
threads sign side by side.
"""

from __future__ import annotations

from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from sealstead.errors import KeyUnavailableError
from sealstead.formats.signing_certificate import UnsupportedKeyError, algorithm_of
from sealstead.secret import Secret

HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}

_GENERATED: Final = ("RSA-3072", "RSA-4096", "RSA-2048", "P-256", "P-384", "P-521", "Ed25519")
_PADDING: Final = padding.PKCS1v15()
_ECDSA: Final = {name: ec.ECDSA(algorithm) for name, algorithm in HASHES.items()}


class UnusableKeyError(KeyUnavailableError):
    """What should be a private key cannot be loaded as one."""

    code = "unusable-key"


class Signer(Protocol):
    """Signs with one private key that it holds or reaches."""

    @property
    def algorithm(self) -> str:
        """`RSA-3072`, `P-256`, `Ed25519`."""

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo."""

    def sign(self, data: bytes, hash_name: str = "") -> bytes:
        """Return the signature of `data`: RSA PKCS #1 v1.5 or ECDSA (DER) with one of `HASHES`, else Ed25519 without.

        Raises:
            KeyUnavailableError: the key cannot be reached now.
        """


class SoftwareSigner:
    """A key in memory."""

    def __init__(
        self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ) -> None:
        self.key = key
        self.algorithm = algorithm_of(key.public_key())
        self.public_key_der = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, data: bytes, hash_name: str = "") -> bytes:
        key = self.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, _PADDING, HASHES[hash_name])
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, _ECDSA[hash_name])
        return key.sign(data)

    def private_bytes(self) -> Secret[bytes]:
        """Return the key as PKCS#8 (DER, unencrypted), for whoever seals it."""
        return Secret(
            self.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def load_signer(pkcs8: Secret[bytes]) -> SoftwareSigner:
    """Load an unencrypted PKCS#8 key (DER).

    Raises:
        UnusableKeyError: it is none.
        UnsupportedKeyError: its kind is not signed with here.
    """
    try:
        key = serialization.load_der_private_key(pkcs8.reveal(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not `from exc`: a message of the library may quote what it read.
        raise UnusableKeyError("the private key cannot be loaded") from None
    return signer_of(key)


def signer_of(key: object) -> SoftwareSigner:
    """Return the signer of a private key object of `cryptography`.

    Raises:
        UnsupportedKeyError
    """
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise UnsupportedKeyError(f"keys of the kind {type(key).__name__.lstrip('_')} are not signed with")
    return SoftwareSigner(key)


def generate_signer(algorithm: str) -> SoftwareSigner:
    """Make a new key.

    Raises:
        UnsupportedKeyError: `algorithm` is none of those that are made here.
    """
    if algorithm not in _GENERATED:
        raise UnsupportedKeyError(
            f"no key of the kind {algorithm[:40]!r} is made", hint=f"choose one of {', '.join(_GENERATED)}"
        )
    if algorithm == "Ed25519":
        return SoftwareSigner(ed25519.Ed25519PrivateKey.generate())
    if algorithm.startswith("RSA-"):
        bits = int(algorithm.removeprefix("RSA-"))
        return SoftwareSigner(rsa.generate_private_key(public_exponent=65537, key_size=bits))
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return SoftwareSigner(ec.generate_private_key(curves[algorithm]))
