"""Sign one claim with the key of a profile, and write it as a signature file that plain `minisign` checks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sealstead.custody.files import FileExistsConflictError, write_leaving_nothing
from sealstead.custody.key_dir import KeyDir
from sealstead.errors import ConflictError, InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import (
    PublicKey,
    SecretKey,
    digest_of,
    parse_secret_key,
    parse_signature,
    serialize_signature,
    sign_digest,
)
from sealstead.formats.minisign_text import MAX_FILE_BYTES
from sealstead.formats.profile_schema import Profile
from sealstead.formats.proof_claim import is_claim_message
from sealstead.formats.proof_text import Form, ProofContext, signed_message, verify_proof
from sealstead.formats.statement import reserved_comment
from sealstead.identity.proofs import check_clock, sign_link
from sealstead.identity.statements import find_revocation
from sealstead.identity.targets import OtherContentError, refuse_key_dir

_PUBLIC_FILE = 0o644


class RevokedKeyError(KeyUnavailableError):
    """The key is revoked: what it signs is believed by nobody."""

    code = "key-revoked"


class SignatureFileError(InputError):
    """The files of a signed claim cannot be written there."""

    code = "signature-file"


class SecretKeyThereError(ConflictError):
    """Where something else is to be written, there is a secret key."""

    code = "secret-key-there"


class SignedClaim(NamedTuple):
    token: str
    context: ProofContext
    form: Form
    key: PublicKey
    issued_at: datetime
    expires_at: datetime
    message: bytes


def check_not_revoked(profile: Profile, key: PublicKey, at: datetime) -> None:
    """Raises RevokedKeyError if the profile says that `key` is revoked."""
    revocation = find_revocation(profile, key, at)
    if revocation is not None:
        raise revoked_error(key, revocation.revoked_at)


def revoked_error(key: PublicKey, moment: datetime) -> RevokedKeyError:
    return RevokedKeyError(
        f"key {key.id} was revoked on {moment:%Y-%m-%d}: nobody believes what it signs",
        hint="key-rotate gives the profile another key",
    )


def sign_claim(
    profile: Profile,
    key: SecretKey,
    url: str,
    *,
    at: datetime,
    expires: datetime,
    form: Form | None,
    kind: str = "",
    package: str | None = None,
) -> SignedClaim:
    """Return a proof that the profile's user controls `url`; without `form`, the longest that fits on such a page.

    Raises:
        ClaimError: nothing can be claimed of that URL, or the profile names no user.
        RevokedKeyError, ClockError: as `check_not_revoked` and `check_clock`.
    """
    from sealstead.formats.profile_schema import ProfileLink
    from sealstead.identity.proofs import context_of, package_of, suggested_form

    check_clock(at)
    check_not_revoked(profile, key.public, at)
    known = next((link for link in profile.profiles if link.url == url), None)
    link = known or ProfileLink(kind=kind or "website", label=url, url=url)
    context = context_of(profile, url, package=package_of(link, profile, package=package))
    chosen = form or suggested_form(link)
    token = sign_link(profile, key, link, at=at, expires=expires, form=chosen, package=context.package)
    # What leaves has been checked as a stranger would check it.
    proved = verify_proof(token, context, [key.public], at=at)
    return SignedClaim(
        token=token,
        context=context,
        form=chosen,
        key=key.public,
        issued_at=proved.issued_at,
        expires_at=proved.expires_at,
        message=signed_message(token, context, at=at),
    )


def check_no_secret_key(path: Path) -> None:
    """Raises SecretKeyThereError if `path` holds a secret key, or something that cannot be looked at."""
    if not (path.exists() or path.is_symlink()):
        return
    if not path.is_file():  # a pipe would hold us for ever
        raise SignatureFileError(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            parse_secret_key(file.read(MAX_FILE_BYTES + 1))
    except ParseError:
        return
    except OSError as exc:
        raise SignatureFileError(f"{path} cannot be read: {exc.strerror}") from exc
    raise SecretKeyThereError(f"{path} is a secret key: it is not replaced", hint="choose another name")


def write_signature_files(
    claim: SignedClaim, key: SecretKey, path: Path, *, replace: bool, directory: KeyDir
) -> Path:
    """Write what was signed to `path` and the signature beside it, as `minisign -S` would; return the second name.

    `replace`: an older claim and its signature, and nothing else.

    Raises:
        SignatureFileError: the system does not let us.
        FileExistsConflictError: one of them is there, and is not to be replaced; nothing was written.
        SecretKeyThereError: one of them is a secret key, which is never replaced here; nothing was written.
        KeyInTheWayError: they would stand among the keys; nothing was written.
        OtherContentError: one of them is there, and is neither a claim nor a signature; nothing was written.
    """
    comment = f"timestamp:{int(claim.issued_at.timestamp())}\tfile:{path.name}\thashed"
    if reserved_comment(comment) or not path.name.isprintable():
        raise SignatureFileError(f"{path.name!a} cannot be the name of a signed claim")
    signature = sign_digest(key, digest_of(claim.message), trusted_comment=comment)
    beside = path.with_name(f"{path.name}.minisig")
    for each in (path, beside):
        if not replace and (each.exists() or each.is_symlink()):
            raise FileExistsConflictError(f"{each} exists already", hint="--force replaces it")
        check_no_secret_key(each)
    refuse_key_dir(directory, path)
    for each, is_ours in ((path, is_claim_message), (beside, _is_signature)):
        if each.exists() and not is_ours(each.read_bytes()):
            what = "claim" if each == path else "signature"
            raise OtherContentError(
                f"{each} is no {what}: nothing else is replaced here", hint="choose another name"
            )
    try:
        write_leaving_nothing(path, claim.message, mode=_PUBLIC_FILE, replace=replace)
        write_leaving_nothing(beside, serialize_signature(signature), mode=_PUBLIC_FILE, replace=replace)
    except OSError as exc:
        raise SignatureFileError(f"{path} cannot be written: {exc.strerror}") from exc
    return beside


def _is_signature(content: bytes) -> bool:
    try:
        parse_signature(content)
    except ParseError:
        return False
    return True
