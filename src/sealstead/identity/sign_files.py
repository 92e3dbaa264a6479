"""Sign any file with the identity's key, and check such signatures, without holding the file in memory.

Rules:
  * what would be a proof or a statement of ours if it were signed is refused: a key speaks about itself only through
    the commands that are for it;
  * the signature file is read back and checked after it was written;
  * a file that changes while it is read is not signed.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.custody import files
from sealstead.errors import ConflictError, DeniedError, ParseError, VerificationError
from sealstead.formats.minisign import (
    LegacySignatureError,
    PublicKey,
    SecretKey,
    Signature,
    WrongKeyError,
    parse_signature,
    serialize_signature,
    sign_bare,
    sign_digest,
    verify_digest,
    verify_message,
)
from sealstead.formats.minisign_text import MAX_FILE_BYTES, is_printable
from sealstead.formats.proof_claim import is_claim_message
from sealstead.formats.statement import reserved_comment, reserved_message
from sealstead.identity.digesting import Digested
from sealstead.identity.file_digest import FileError, digest_file
from sealstead.identity.targets import refuse_key_dir
from sealstead.record import Record

if TYPE_CHECKING:
    from sealstead.custody.key_dir import KeyDir
    from sealstead.identity.standing import Said


class ReservedContentError(DeniedError):
    """Signed, this would be a proof or a statement in the key's own name."""

    code = "reserved-content"


class SignatureExistsError(ConflictError):
    """Where the signature belongs, there is something else."""

    code = "signature-exists"


class SignedFile(Record):
    path: Path
    signature_path: Path
    signature: Signature


class VerifiedFile(Record):
    path: Path
    key: PublicKey
    trusted_comment: str
    legacy: bool


def signature_path_of(path: Path) -> Path:
    return Path(f"{path}.minisig")


def sign_file(
    key: SecretKey,
    path: Path,
    *,
    at: datetime,
    signature_path: Path | None = None,
    trusted_comment: str | None = None,
    untrusted_comment: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
    directory: KeyDir | None = None,
) -> SignedFile:
    """Write the signature of `path` beside it. An older signature by the same key is replaced.

    `replace`: one by another key too, and nothing else. `directory`: of the keys, where no signature belongs.

    Raises:
        FileError: it cannot be read, or the signature cannot be written.
        FileChangedError: it changed while it was read.
        ReservedContentError: signed, it would be a proof or a statement.
        SignatureExistsError: what is there is no signature, or another key's and `replace` is false.
        KeyInTheWayError: the signature would be written to the key directory.
        CommentError: a comment that a signature cannot carry.
    """
    target = signature_path or signature_path_of(path)
    _check_target(key, path, target, replace=replace)
    if directory is not None:
        refuse_key_dir(directory, target)
    comment = default_comment(path, at) if trusted_comment is None else trusted_comment
    _check_comment(comment)
    # A key whose halves do not fit is told before a long file is read; and a head start is used for what this loads.
    sign_bare(key, b"")
    with contextlib.suppress(ImportError):  # Windows locks in another way
        import fcntl  # noqa: F401
    digested = digest_file(path)
    _check_content(path, digested)
    digest = digested.digest
    more = {} if untrusted_comment is None else {"untrusted_comment": untrusted_comment}
    signature = sign_digest(key, digest, trusted_comment=comment, **more)
    if not dry_run:
        try:
            files.write_leaving_nothing(target, serialize_signature(signature), mode=0o644, replace=True)
            written = target.read_bytes()
        except OSError as exc:
            raise FileError(f"{target} cannot be written: {exc.strerror}") from exc
        verify_digest(key.public, digest, parse_signature(written))
    return SignedFile(path=path, signature_path=target, signature=signature)


def verify_file(
    keys: Sequence[PublicKey],
    path: Path,
    *,
    signature_path: Path | None = None,
    allow_legacy: bool = False,
    told_of: Callable[[bytes], Said | None] | None = None,
) -> VerifiedFile:
    """Check the signature of `path` against the one of `keys` that it names. `told_of`: what is known of another key.

    Raises:
        FileError: the file or its signature cannot be read.
        MinisignFormatError: the signature file is none.
        WrongKeyError, LegacySignatureError, BadSignatureError: it proves nothing.
    """
    if not path.exists():
        raise FileError(f"{path} does not exist")
    signature = _load_signature(signature_path or signature_path_of(path))
    key = next((key for key in keys if key.key_id == signature.key_id), None)
    if key is None:
        said = told_of(signature.key_id) if told_of is not None else None
        if said is not None:
            raise WrongKeyError(
                f"{path}: its signature is by key {signature.id}, which {said.fact}", hint=said.hint
            )
        expected = ", ".join(key.id for key in keys) or "a key that is believed here"
        raise WrongKeyError(f"{path} was signed with key {signature.id}, not with {expected}")
    if not signature.prehashed and not allow_legacy:
        raise LegacySignatureError(
            f"{path} has a signature of the legacy kind",
            hint="sign the file again with a current minisign, or accept it with --allow-legacy",
        )
    try:
        if signature.prehashed:
            verify_digest(key, digest_file(path).digest, signature)
        else:
            _verify_legacy(key, path, signature)
    except VerificationError as exc:
        raise type(exc)(f"{path}: {exc.message}", hint=exc.hint) from exc
    return VerifiedFile(
        path=path, key=key, trusted_comment=signature.trusted_comment, legacy=not signature.prehashed
    )


def default_comment(path: Path, at: datetime) -> str:
    """Return the trusted comment that minisign itself writes."""
    name = "".join(char if char != "\t" and is_printable(char) else "?" for char in path.name)
    return f"timestamp:{int(at.timestamp())}\tfile:{name}\thashed"


def _check_target(key: SecretKey, path: Path, target: Path, *, replace: bool) -> None:
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise SignatureExistsError(f"{target} is no regular file")
    if not target.exists():
        return
    # Whatever `--force` says: either is lost for good, and neither can be what was meant.
    if path.exists() and target.samefile(path):
        raise SignatureExistsError(
            f"{target} is the file itself", hint="choose another name for the signature"
        )
    if _is_secret_key(target):
        raise SignatureExistsError(f"{target} is a secret key", hint="choose another name for the signature")
    try:
        old = parse_signature(read_small(target))
    except ParseError as exc:
        raise SignatureExistsError(
            f"{target} exists and is not a signature: nothing else is replaced here",
            hint="choose another name, or move it away first",
        ) from exc
    if not replace and old.key_id != key.public.key_id:
        raise SignatureExistsError(
            f"{target} exists and is the signature of key {old.id}", hint="replace it with --force"
        )


def _is_secret_key(path: Path) -> bool:
    from sealstead.formats.minisign import parse_secret_key

    try:
        parse_secret_key(read_small(path))
    except ParseError:
        return False
    return True


def _check_comment(comment: str) -> None:
    if reserved_comment(comment):
        raise ReservedContentError(
            "a trusted comment that begins so is for statements about keys", hint="choose another comment"
        )


def _check_content(path: Path, digested: Digested) -> None:
    # No proof and no statement is longer than the head that was kept.
    if reserved_message(digested.head) or (digested.whole and is_claim_message(digested.head)):
        raise ReservedContentError(
            f"{path}, signed, would be a proof or a statement of your key",
            hint="sign makes proofs, key-rotate and key-revoke make statements",
        )


def _verify_legacy(key: PublicKey, path: Path, signature: Signature) -> None:
    """A legacy signature is over the bytes themselves; mapped, they still need not be in memory all at once."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                verify_message(key, b"", signature, allow_legacy=True)
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
                verify_message(key, view, signature, allow_legacy=True)
    except OSError as exc:
        raise FileError(f"{path} cannot be read: {exc.strerror}") from exc


def _load_signature(path: Path) -> Signature:
    try:
        return parse_signature(read_small(path))
    except ParseError as exc:
        raise type(exc)(f"{path}: {exc.message}", hint=exc.hint) from exc


def read_small(path: Path) -> bytes:
    """Return the content of a key or signature file; raises FileError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as exc:
        raise FileError(f"{path} is missing", hint="name the signature file with --signature") from exc
    except OSError as exc:
        raise FileError(f"{path} cannot be read: {exc.strerror}") from exc
