"""Find the signatures of a file: the one inside of it, or those that stand beside it.

What kinds there are is for `kinds`. A detached signature can be named as well, and means the file that it is of.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealstead.codesign.digested import TargetUnreadableError, reading
from sealstead.codesign.kind_detached import new_hash
from sealstead.codesign.kinds import CMS_DETACHED, KINDS, Kind, kind_of
from sealstead.codesign.undo import Facts, TargetChangedError
from sealstead.errors import NotFoundError, ParseError, VerificationError
from sealstead.formats.cms import MalformedCmsError

MAX_SIGNATURE_BYTES = 16 << 20

_BLOCK_BYTES = 1 << 20
_PEM = re.compile(rb"\s*-----BEGIN (PKCS7|CMS)-----\s([A-Za-z0-9+/=\s]++)-----END \1-----\s*")


class NotSignedError(VerificationError):
    """A file without a signature, in it or beside it."""

    code = "not-signed"


class ContentMissingError(NotFoundError):
    """A detached signature whose file is not there."""

    code = "signed-file-missing"


class SignatureTooLargeError(ParseError):
    """Something that is too large to be a signature."""

    code = "signature-too-large"


@dataclass(frozen=True, kw_only=True)
class FoundSignature:
    path: Path
    """The file that is signed."""
    kind: Kind
    signature: bytes = field(repr=False)
    """A ContentInfo in DER, or the text of a `.minisig`."""
    digests: Callable[[Collection[str]], Mapping[str, bytes]] = field(repr=False)
    """Reads the file, for the algorithms that are named."""


def find_signatures(path: Path) -> list[FoundSignature]:
    """Return the signature that a file carries, or all that stand beside it.

    Raises:
        NotSignedError: there is none.
        ContentMissingError: it is a detached signature, and what it is of is not there.
        TargetUnreadableError, TargetChangedError: the file cannot be read, or not twice the same.
        ParseError: what should be a program, a script or a signature is none.
    """
    own = next((kind for kind in KINDS if kind.beside and path.suffix.lower() == kind.beside), None)
    if own is not None:
        content = path.with_suffix("")
        if not content.is_file():
            raise ContentMissingError(
                f"{path} is a signature of {content.name}, which is not there",
                hint="both belong in one directory",
            )
        return [_beside(content, path, own)]
    kind = kind_of(path)
    if kind is not None:
        # First for the signature alone: which digests it takes, only the signature says.
        looked = kind.handler.digest(path, ())
        if looked.existing is not None:
            return [
                FoundSignature(
                    path=path,
                    kind=kind,
                    signature=looked.existing,
                    digests=lambda names: _read_again(kind, path, names, looked.facts),
                )
            ]
    found = [
        _beside(path, signature, kind)
        for kind in KINDS
        if kind.beside and (signature := path.with_name(path.name + kind.beside)).is_file()
    ]
    if not found:
        raise NotSignedError(f"{path} is not signed")
    return found


def _read_again(kind: Kind, path: Path, names: Collection[str], facts: Facts) -> Mapping[str, bytes]:
    again = kind.handler.digest(path, tuple(names))
    if again.facts != facts:
        raise TargetChangedError(f"{path} changed while it was looked at")
    return again.digests


def _beside(content: Path, beside: Path, kind: Kind) -> FoundSignature:
    try:
        with beside.open("rb") as file:
            data = file.read(MAX_SIGNATURE_BYTES + 1)
    except OSError as exc:
        raise TargetUnreadableError(f"{beside} cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_SIGNATURE_BYTES:
        raise SignatureTooLargeError(f"{beside} is too large to be a signature")
    if kind.profile == CMS_DETACHED and (armoured := _PEM.fullmatch(data)):
        try:
            data = base64.b64decode(b"".join(armoured[2].split()), validate=True)
        except ValueError as exc:
            raise MalformedCmsError(f"{beside} is not a signature in PEM") from exc
    return FoundSignature(
        path=content,
        kind=kind,
        signature=data,
        digests=lambda names: _digests(content, names),
    )


def _digests(path: Path, names: Collection[str]) -> Mapping[str, bytes]:
    """Return digests of a whole file; what stands beside it is of no concern here."""
    hashes = {name: new_hash(name) for name in names}
    buffer = memoryview(bytearray(_BLOCK_BYTES))
    with reading(path) as (file, _):
        while got := file.readinto(buffer):
            for one in hashes.values():
                one.update(buffer[:got])
    return {name: one.digest() for name, one in hashes.items()}
