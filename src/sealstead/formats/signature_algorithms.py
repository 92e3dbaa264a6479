"""Whether what a signature says of its algorithms is well-formed, and fits its key and its digest.

RFC 5754, RFC 4056 (PSS), RFC 5753 (ECDSA), RFC 8419 (Ed25519). Parameters that an algorithm has none of are absent or NULL:
signers differ. The algorithm may be that of the key alone, as Windows and openssl write it for RSA, or name the digest as well.
"""

from __future__ import annotations

from typing import Final, Literal

from sealstead.errors import VerificationError
from sealstead.formats.cms_read import ECDSA_WITH, SignerInfo
from sealstead.formats.der import SEQUENCE, Tlv, null, only, read_integer, walk, whole
from sealstead.formats.digests import DigestAlgorithm, read_algorithm, read_digest_algorithm

RSASSA_PSS = "1.2.840.113549.1.1.10"
ED25519 = "1.3.101.112"
_MGF1 = "1.2.840.113549.1.1.8"
_ANY = ""
_RSA = {
    "1.2.840.113549.1.1.1": _ANY,
    RSASSA_PSS: _ANY,
    "1.2.840.113549.1.1.11": "SHA256",
    "1.2.840.113549.1.1.12": "SHA384",
    "1.2.840.113549.1.1.13": "SHA512",
}
_EC_KEY, _ECDSA_SPECIFIED = "1.2.840.10045.2.1", "1.2.840.10045.4.3"
_EC = {_EC_KEY: _ANY, _ECDSA_SPECIFIED: _ANY} | {dotted: name for name, dotted in ECDSA_WITH.items()}
_BY_KEY: Final = {"rsa": _RSA, "ec": _EC, "ed25519": {ED25519: _ANY}}
_WITH_PARAMETERS = (RSASSA_PSS, _EC_KEY, _ECDSA_SPECIFIED)
_NONE = (b"", null())
_MOST_SALT = 1 << 10
_PSS_TRAILER = 1
_PSS = "the parameters of a signature with PSS"


class SignatureAlgorithmError(VerificationError):
    """A signature contradicts itself over how it was made."""

    code = "signature-algorithm"


def check_algorithm(signer: SignerInfo, key: Literal["rsa", "ec", "ed25519"]) -> None:
    """Raises SignatureAlgorithmError: the algorithm is not one for this kind of key, or not with the signer's digest."""
    digest = _BY_KEY[key].get(signer.signature_oid)
    if digest is None or digest not in (_ANY, signer.digest.name):
        raise SignatureAlgorithmError(
            f"the signature says that it is of the algorithm {signer.signature_oid}, which its key or digest is not for"
        )
    if signer.signature_parameters not in _NONE and signer.signature_oid not in _WITH_PARAMETERS:
        raise SignatureAlgorithmError("the algorithm of the signature has parameters, and takes none")


def pss_salt(signer: SignerInfo) -> int | None:
    """Return the length of the salt; None if the signature does not say.

    Raises:
        SignatureAlgorithmError: the parameters are of another digest, or no signer has such.
        MalformedDerError, ForeignDigestError: they cannot be read.
    """
    data = signer.signature_parameters
    if data in _NONE:
        return None
    parts = walk(data, whole(data, _PSS), _PSS)
    hashed, masked, salted, trailer = (parts.find(0xA0 + number) for number in range(4))
    parts.done()
    # What is left out is SHA-1, which is no digest of ours.
    if not (hashed and masked) or _names(data, hashed, masked) != {signer.digest.name}:
        raise SignatureAlgorithmError("the parameters of the signature are of another digest than its own")
    salt = 20 if salted is None else read_integer(data, only(data, salted, _PSS))
    if not 0 <= salt <= _MOST_SALT or (
        trailer is not None and read_integer(data, only(data, trailer, _PSS)) != _PSS_TRAILER
    ):
        raise SignatureAlgorithmError("the parameters of the signature are none that PSS has")
    return salt


def check_listed(listed: tuple[str, ...], digest: DigestAlgorithm, *, alone: bool = False) -> None:
    """Look for the digest of a signer among those that the signed data lists (RFC 5652, section 5.1).

    Raises:
        SignatureAlgorithmError: it is not there, or, where it has to stand `alone`, others are.
    """
    if digest.oid not in listed or (alone and len(listed) > 1):
        raise SignatureAlgorithmError(
            "the signature lists other hash algorithms than the one it was made with"
        )


def _names(data: bytes, hashed: Tlv, masked: Tlv) -> set[str]:
    mask = only(data, masked, _PSS)
    dotted, _ = read_algorithm(data, mask, _PSS)
    inner = walk(data, mask, _PSS)
    inner.take()
    found = {
        read_digest_algorithm(data, one).name for one in (only(data, hashed, _PSS), inner.take(SEQUENCE))
    }
    return found if dotted == _MGF1 else set()
