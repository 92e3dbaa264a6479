"""Hash algorithms of signatures: their names, object identifiers and lengths (RFC 5754; RFC 8017, appendix B.1).

`SHA1` and `MD5` are known only so that an old signature can be named and refused for what it is.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from sealstead.errors import InputError, ParseError
from sealstead.formats.der import MalformedDerError, Tlv, null, oid, read_oid, seq, walk
from sealstead.record import Record

NULL_TAG = 0x05


class UnknownDigestError(InputError):
    """A hash algorithm that we do not sign with."""

    code = "unknown-digest-algorithm"


class DigestLengthError(InputError):
    """A digest that cannot come from the algorithm named beside it."""

    code = "bad-digest-length"


class ForeignDigestError(ParseError):
    """A signature made with a hash algorithm that we do not know."""

    code = "foreign-digest-algorithm"


class DigestAlgorithm(Record):
    name: str
    oid: str
    size: int
    """In bytes."""
    strong: bool = True

    @property
    def new(self) -> Callable[..., Any]:
        """The constructor in `hashlib`."""
        return {
            "MD5": hashlib.md5,
            "SHA1": hashlib.sha1,
            "SHA256": hashlib.sha256,
            "SHA384": hashlib.sha384,
            "SHA512": hashlib.sha512,
        }[self.name]

    def digest(self, data: bytes) -> bytes:
        result: bytes = self.new(data, usedforsecurity=self.strong).digest()
        return result

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier; with NULL as parameter, as Windows writes it."""
        return seq(oid(self.oid), null())


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        DigestAlgorithm(name="SHA256", oid="2.16.840.1.101.3.4.2.1", size=32),
        DigestAlgorithm(name="SHA384", oid="2.16.840.1.101.3.4.2.2", size=48),
        DigestAlgorithm(name="SHA512", oid="2.16.840.1.101.3.4.2.3", size=64),
        DigestAlgorithm(name="SHA1", oid="1.3.14.3.2.26", size=20, strong=False),
        DigestAlgorithm(name="MD5", oid="1.2.840.113549.2.5", size=16, strong=False),
    )
}
SIGNING = tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.strong)
"""What we make signatures with."""

_BY_OID = {algorithm.oid: algorithm for algorithm in ALGORITHMS.values()}


def digest_algorithm(name: str) -> DigestAlgorithm:
    """Return what a signature may be made with.

    Raises:
        UnknownDigestError: it is none of `SIGNING`.
    """
    algorithm = ALGORITHMS.get(name)
    if algorithm is None or not algorithm.strong:
        raise UnknownDigestError(
            f"{name[:40]!r} is no hash algorithm to sign with", hint=f"one of {', '.join(SIGNING)}"
        )
    return algorithm


def checked_digest(name: str, digest: bytes) -> DigestAlgorithm:
    """Return the algorithm, after a look at the length of the digest.

    Raises:
        UnknownDigestError, DigestLengthError: the two do not go together.
    """
    algorithm = digest_algorithm(name)
    if len(digest) != algorithm.size:
        raise DigestLengthError(f"a digest of {name} has {algorithm.size} bytes, not {len(digest)}")
    return algorithm


def known_oid(dotted: str) -> DigestAlgorithm:
    """Raises ForeignDigestError if we do not know the algorithm."""
    if (algorithm := _BY_OID.get(dotted)) is None:
        raise ForeignDigestError(f"a hash algorithm that is not known here: {dotted}")
    return algorithm


def read_algorithm(data: bytes, value: Tlv, what: str) -> tuple[str, bytes]:
    """Return object identifier and encoded parameters (empty if there are none) of an AlgorithmIdentifier."""
    parts = walk(data, value, what)
    dotted = read_oid(data, parts.take())
    parameters = b"".join(part.raw(data) for part in parts.rest())
    return dotted, parameters


def read_digest_algorithm(data: bytes, value: Tlv) -> DigestAlgorithm:
    """Raises MalformedDerError, ForeignDigestError."""
    dotted, parameters = read_algorithm(data, value, "a hash algorithm")
    return plain_digest(dotted, parameters)


def plain_digest(dotted: str, parameters: bytes) -> DigestAlgorithm:
    """Return a known algorithm, which has no parameters: absent or NULL, as signers differ (RFC 5754, section 2).

    Raises:
        MalformedDerError, ForeignDigestError
    """
    algorithm = known_oid(dotted)
    if parameters not in (b"", null()):
        raise MalformedDerError("a hash algorithm with parameters, of which it has none")
    return algorithm


def same(left: bytes, right: bytes) -> bool:
    """Compare digests; in constant time because that costs nothing and needs no thought."""
    return hmac.compare_digest(left, right)
