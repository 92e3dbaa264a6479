"""Signatures on their way into a file: whether they are of it, and what is put into them.

What the server answered is looked at before a file is touched: it is of the digest that was sent, and signed by the
certificate that the server names. `proved` also checks the signature value; where files are verified after signing, or
a time-stamp is about to vouch for it, that is done too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.codesign.kinds import AUTHENTICODE, CMS_DETACHED, MINISIGN, Kind
from sealstead.errors import InputError, ParseError, SealsteadError, UpstreamError
from sealstead.formats.digests import same

if TYPE_CHECKING:
    from sealstead.codesign.digested import Digested
    from sealstead.codesign.server_values import ServerCertificate
    from sealstead.formats.cms import SignedData

CMS_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
"""Of a CMS signature (RFC 3161, appendix A); Authenticode has its own."""
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_MAX_CERTIFICATES_BYTES = 1 << 20
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*+)-----END CERTIFICATE-----")


class WrongAnswerError(UpstreamError):
    """The server's signature is not of what it was asked to sign."""

    code = "wrong-signature"


class ExtraCertificatesError(InputError):
    """A file of additional certificates cannot be read, or holds none."""

    code = "additional-certificates"


class NotForThisKindError(InputError):
    """A kind of signature that has no place for a time-stamp, or for a second signature."""

    code = "not-for-this-kind"


def stated(kind: Kind, signature: bytes) -> tuple[str, bytes]:
    """Return the algorithm and the digest of the content that a signature (a ContentInfo) says it is of.

    Raises:
        ParseError: it is none of this kind.
    """
    from sealstead.formats.authenticode import read_indirect
    from sealstead.formats.cms import MalformedCmsError, parse_signed_data
    from sealstead.formats.der import OCTET_STRING, whole

    signed = parse_signed_data(signature)
    if kind.profile == AUTHENTICODE:
        indirect = read_indirect(signed)
        if indirect.kind != kind.wire:
            raise MalformedCmsError(f"a signature of another kind of file ({indirect.kind})")
        return indirect.alg.name, indirect.digest
    value = signed.signer.find_signed(_MESSAGE_DIGEST)
    if value is None or signed.content is not None:
        raise MalformedCmsError("not the detached signature of a file")
    return signed.signer.digest.name, whole(value, "the message digest", tag=OCTET_STRING).content(value)


def is_of(kind: Kind, digested: Digested, certificates: Sequence[ServerCertificate]) -> bool:
    """Return whether the signature that a file has is of its content, by what it says.

    The digest must be among those of `digested`: see `stated`. A minisign signature says of no digest, so it is checked
    against the keys of `certificates`.
    """
    if digested.existing is None:
        return False
    try:
        if kind.profile == MINISIGN:
            return any(
                _is_minisign_of(digested, one.public_key)
                for one in certificates
                if one.public_key is not None
            )
        name, digest = stated(kind, digested.existing)
        return name in digested.digests and same(digested.digests[name], digest)
    except SealsteadError:
        return False


def check_answer(
    kind: Kind, algorithm: str, digest: bytes, answer: bytes, certificate: ServerCertificate, *, proved: bool
) -> None:
    """Check that the server's signature is what it was asked for.

    Raises:
        WrongAnswerError: it is not.
    """
    try:
        wrong = _difference(kind, algorithm, digest, answer, certificate, proved=proved)
    except SealsteadError as exc:
        raise WrongAnswerError(f"the server's signature does not hold: {exc.message}") from exc
    if wrong:
        raise WrongAnswerError(wrong)


def prove(kind: Kind, signature: bytes, digest: bytes) -> SignedData:
    """Check the signature value of a ContentInfo, by the certificate that it carries; `digest` is that of the content.

    Raises:
        VerificationError, ParseError: it does not hold.
    """
    from sealstead.formats.cms import parse_signed_data, verify_signer

    signed = parse_signed_data(signature)
    verify_signer(signed, content_digest=_detached(kind, digest))
    return signed


def algorithm_of(kind: Kind, signature: bytes) -> str | None:
    """Return the hash algorithm of a ContentInfo, None if it is not one of this kind."""
    try:
        return stated(kind, signature)[0]
    except ParseError:
        return None


def signature_value(kind: Kind, signature: bytes) -> bytes:
    """Return what a time-stamp is of: the value of the first signer's signature.

    Raises:
        NotForThisKindError: a kind that has no place for one.
    """
    if kind.profile == MINISIGN:
        raise NotForThisKindError(
            "a minisign signature has no place for a time-stamp", hint="sign without --tr"
        )
    from sealstead.formats.cms import parse_signed_data

    return parse_signed_data(signature).signer.signature


def with_stamp(kind: Kind, signature: bytes, token: bytes) -> bytes:
    """Return the signature with this time-stamp instead of one that it has (`signature_value` knows which may)."""
    if kind.profile == AUTHENTICODE:
        from sealstead.formats.authenticode import add_timestamp

        return add_timestamp(signature, token)
    from sealstead.formats.cms import add_unsigned_attribute

    return add_unsigned_attribute(signature, CMS_TIMESTAMP, token, replace=True)


def with_certificates(kind: Kind, signature: bytes, certificates: Sequence[bytes]) -> bytes:
    """Return the signature with further certificates (DER) beside those that the server sent.

    Raises:
        NotForThisKindError: a kind that carries none.
    """
    if kind.profile == MINISIGN:
        raise NotForThisKindError("a minisign signature carries no certificates", hint="sign without --ac")
    from sealstead.formats.cms import add_certificates

    return add_certificates(signature, certificates)


def appended(kind: Kind, existing: bytes, signature: bytes) -> bytes:
    """Return the signature that a file has, with one more.

    Raises:
        NotForThisKindError: a kind that carries one signature only.
    """
    if kind.profile != AUTHENTICODE:
        raise NotForThisKindError("a detached signature is not added to", hint="sign without --append")
    from sealstead.formats.authenticode import add_nested

    return add_nested(existing, signature)


def load_certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates of a PEM or DER file, in DER.

    Raises:
        ExtraCertificatesError: it cannot be read, or is neither.
    """
    from sealstead.formats.certificate_names import certificate_names

    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CERTIFICATES_BYTES)
        found = [base64.b64decode(b"".join(one.split()), validate=True) for one in _PEM.findall(content)]
        for der in found or [content]:
            certificate_names(der)
    except OSError as exc:
        raise ExtraCertificatesError(f"{path} cannot be read: {exc.strerror}") from exc
    except (ValueError, ParseError) as exc:
        raise ExtraCertificatesError(f"{path} holds no certificates", hint="PEM or DER is read") from exc
    return tuple(found or [content])


def _difference(
    kind: Kind, algorithm: str, digest: bytes, answer: bytes, certificate: ServerCertificate, *, proved: bool
) -> str:
    """Return in what the answer is not what was asked for; what cannot be read, or does not hold, raises."""
    if kind.profile == MINISIGN:
        return _minisign_difference(digest, answer, certificate)
    from sealstead.formats.cms import parse_signed_data, verify_signer

    name, its_digest = stated(kind, answer)
    if name != algorithm or not same(its_digest, digest):
        return "the server signed something else than it was asked to"
    signed = parse_signed_data(answer)
    if signed.certificate_of(signed.signer) != certificate.certificate:
        return "the server signed with another certificate than it says"
    if proved:
        verify_signer(signed, content_digest=_detached(kind, digest))
    return ""


def _detached(kind: Kind, digest: bytes) -> bytes | None:
    return digest if kind.profile == CMS_DETACHED else None


def _minisign_difference(digest: bytes, answer: bytes, certificate: ServerCertificate) -> str:
    from sealstead.formats.minisign import parse_signature, verify_digest
    from sealstead.formats.minisign_key import parse_public_key

    if certificate.public_key is None:
        return "the server does not say which minisign key signed"
    verify_digest(parse_public_key(certificate.public_key), digest, parse_signature(answer))
    return ""


def _is_minisign_of(digested: Digested, public_key: str) -> bool:
    from sealstead.codesign.kind_detached import BLAKE2B_512
    from sealstead.formats.minisign import parse_signature, verify_digest
    from sealstead.formats.minisign_key import parse_public_key

    assert digested.existing is not None  # noqa: S101 - the caller looked
    try:
        verify_digest(
            parse_public_key(public_key), digested.digests[BLAKE2B_512], parse_signature(digested.existing)
        )
    except SealsteadError:
        return False
    return True
