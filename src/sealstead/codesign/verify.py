"""Check the signatures of a file, in numbered steps that are reported one by one.

  1. digest: the signature is of this file;
  2. signature: it was made with the key of the certificate that it names;
  3. chain: that certificate may sign code, and leads to a trusted root, at the moment of the time-stamp, or now;
  4. time-stamp: an authority vouches for the moment.

A step that needs an earlier one which failed is not looked at. All signatures of a file must hold, nested ones too: what
was put beside a good one may be what somebody else's program looks at. Not here: revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sealstead.clock import moment_text
from sealstead.codesign.chain import (
    UntrustedChainError,
    check_chain,
    check_purpose,
    load_certificate,
    readable,
    subject_of,
)
from sealstead.codesign.kinds import CMS_DETACHED, MINISIGN
from sealstead.codesign.roots import Roots
from sealstead.codesign.signed_file import FoundSignature, find_signatures
from sealstead.codesign.timestamp_check import CheckedTimestamp, check_timestamp
from sealstead.codesign.verify_minisign import check_minisign
from sealstead.codesign.verify_report import (
    FileReport,
    SignatureReport,
    State,
    Step,
    StepName,
    signer_of,
)
from sealstead.errors import SealsteadError, VerificationError
from sealstead.formats.authenticode import (
    RFC3161_TIMESTAMP,
    SPC_INDIRECT_DATA,
    ForeignContentError,
    check_one_digest,
    nested_signatures,
    read_indirect,
)
from sealstead.formats.cms import SignedData, SignerInfo, parse_signed_data, verify_signer
from sealstead.formats.cms_check import SignedDigestError, WeakDigestError
from sealstead.formats.cms_read import MESSAGE_DIGEST, MalformedCmsError
from sealstead.formats.der import OCTET_STRING, whole
from sealstead.formats.digests import DigestAlgorithm, same
from sealstead.formats.minisign import PublicKey
from sealstead.formats.opus_info import Opus, read_opus
from sealstead.formats.trust_list import CODE_SIGNING
from sealstead.formats.tsp import CMS_TIMESTAMP

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_NESTED = 16
MAX_STAMPS = 8
"""More than any signature has; each costs a check of its own."""

_OLD_STAMP = "1.2.840.113549.1.9.6"

_T = TypeVar("_T")
_NEEDS = "not looked at: the signature does not hold"


class TimestampMissingError(VerificationError):
    """A signature without the time-stamp that was asked for."""

    code = "timestamp-missing"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What the caller trusts, and what he asks for."""

    roots: Roots | None
    """None: where a certificate leads to is not looked at (after signing with it, say)."""
    timestamp_roots: Roots | None = None
    """None: those of the signers, where there are any."""
    allow_untrusted: bool = False
    require_timestamp: bool = False
    minisign_keys: tuple[PublicKey, ...] = ()


class _Stated(NamedTuple):
    """One signer of one signature, and the digest of the file that he signed."""

    data: SignedData
    signer: SignerInfo
    alg: DigestAlgorithm
    digest: bytes


def check_file(path: Path, *, trust: Trust, now: datetime) -> FileReport:
    """Return what is to be said of all signatures of a file."""
    reports: list[SignatureReport] = []
    try:
        for found in find_signatures(path):
            if found.kind.profile == MINISIGN:
                reports.append(check_minisign(found, trust.minisign_keys))
                continue
            stated = list(_stated(found))
            digests = found.digests({one.alg.name for one in stated if one.alg.strong})
            reports += [_check(found, one, digests, trust, now) for one in stated]
    except SealsteadError as exc:
        return FileReport(path=path, signatures=tuple(reports), problem=exc)
    return FileReport(path=path, signatures=tuple(reports))


def _stated(found: FoundSignature) -> list[_Stated]:
    """Return all signers of what was found, those of nested signatures after the first.

    Raises:
        ParseError: one cannot be read: what cannot be read cannot be said to hold.
    """
    first = parse_signed_data(found.signature)
    if found.kind.profile == CMS_DETACHED:
        return [_Stated(first, signer, signer.digest, _message_digest(signer)) for signer in first.signers]
    nested = nested_signatures(first)
    if len(nested) > MAX_NESTED:
        raise MalformedCmsError("a signature with more nested ones than any has")
    stated = []
    for data in (first, *map(parse_signed_data, nested)):
        indirect = read_indirect(data)
        if indirect.kind != found.kind.wire:
            raise ForeignContentError("a signature of another kind of file")
        stated += [_Stated(data, signer, indirect.alg, indirect.digest) for signer in data.signers]
    return stated


def _message_digest(signer: SignerInfo) -> bytes:
    value = signer.find_signed(MESSAGE_DIGEST)
    return whole(value, "the message digest", tag=OCTET_STRING).content(value) if value else b""


def _check(
    found: FoundSignature, stated: _Stated, digests: Mapping[str, bytes], trust: Trust, now: datetime
) -> SignatureReport:
    data, signer = stated.data, stated.signer
    detached = found.kind.profile == CMS_DETACHED
    digest, _ = _try(
        "digest",
        lambda: _same_digest(stated, digests),
        lambda _: f"the file has the {stated.alg.name} digest that was signed",
    )
    made, certificate = _try(
        "signature",
        lambda: load_certificate(
            verify_signer(data, signer, content_digest=stated.digest if detached else None)
        ),
        lambda holder: f"made with the key of {subject_of(holder)}",
    )
    stamped: CheckedTimestamp | None = None
    if certificate is None:
        chain = Step(name="chain", state=State.SKIPPED, message=_NEEDS)
        stamp = Step(name="time-stamp", state=State.SKIPPED, message=_NEEDS)
    else:
        stamp, stamped = _check_stamp(stated, trust, now)
        chain = _check_signer(certificate, readable(data.certificates), trust, stamped, now)
    opus = _opus(data) if data.content_type == SPC_INDIRECT_DATA else Opus(None, None)
    return SignatureReport(
        kind=found.kind.name,
        alg=stated.alg.name,
        steps=(digest, made, chain, stamp),
        signer=signer_of(certificate) if certificate else None,
        stamped_at=stamped.at if stamped else None,
        authority=stamped.authority_name if stamped else None,
        description=opus.description,
        url=opus.url,
    )


def _same_digest(stated: _Stated, digests: Mapping[str, bytes]) -> None:
    if not stated.alg.strong:
        raise WeakDigestError(f"of a digest of {stated.alg.name}, which no longer proves anything")
    if stated.data.content_type == SPC_INDIRECT_DATA:
        check_one_digest(stated.data, stated.signer, stated.alg)
    if not stated.digest:
        raise SignedDigestError("the signature says of no digest that it is signed")
    if not same(digests[stated.alg.name], stated.digest):
        raise SignedDigestError("the file was changed after it was signed")


def _check_stamp(stated: _Stated, trust: Trust, now: datetime) -> tuple[Step, CheckedTimestamp | None]:
    tokens = [
        token for oid in (RFC3161_TIMESTAMP, CMS_TIMESTAMP) for token in stated.signer.unsigned_values(oid)
    ]
    if not tokens:
        if not trust.require_timestamp:
            words = "the signature ends with its certificate"
            if stated.signer.unsigned_values(_OLD_STAMP):
                words = f"one of the kind before RFC 3161, which is not looked at: {words}"
            return Step(name="time-stamp", state=State.ABSENT, message=words), None
        missing = TimestampMissingError("the signature has no time-stamp")
        return _failed("time-stamp", missing), None
    if len(tokens) > MAX_STAMPS:
        return _failed(
            "time-stamp", MalformedCmsError("a signature with more time-stamps than any has")
        ), None
    # One that does not hold is not made good by another: each must.
    checked: list[CheckedTimestamp] = []
    roots = trust.timestamp_roots or trust.roots
    for token in tokens:
        step, one = _try(
            "time-stamp",
            lambda token=token: check_timestamp(  # type: ignore[misc]
                token,
                stated.signer.signature,
                roots=roots,
                now=now,
                others=readable(stated.data.certificates),
            ),
            lambda one: f"at {moment_text(one.at)} by {one.authority_name}",
        )
        if one is None:
            return step, None
        checked.append(one)
    first = min(checked, key=lambda one: one.at)
    return step, first


def _check_signer(
    certificate: Certificate,
    others: list[Certificate],
    trust: Trust,
    stamped: CheckedTimestamp | None,
    now: datetime,
) -> Step:
    at = stamped.at if stamped else now
    moment = f"{moment_text(at)}, " + ("the time-stamp" if stamped else "now")
    try:
        check_purpose(certificate, CODE_SIGNING)
        if trust.roots is None:
            return Step(name="chain", state=State.SKIPPED, message="where it leads to was not asked")
        chain = check_chain(certificate, others, roots=trust.roots, purpose=CODE_SIGNING, at=at)
    except UntrustedChainError as exc:
        if trust.allow_untrusted:
            return Step(name="chain", state=State.UNTRUSTED, message=exc.message, code=exc.code)
        return _failed("chain", exc)
    except SealsteadError as exc:
        return _failed("chain", exc)
    return Step(name="chain", state=State.PASSED, message=f"leads to {subject_of(chain[-1])} ({moment})")


def _opus(data: SignedData) -> Opus:
    try:
        return read_opus(data)
    except SealsteadError:
        return Opus(None, None)


def _try(name: StepName, check: Callable[[], _T], words: Callable[[Any], str]) -> tuple[Step, _T | None]:
    try:
        result = check()
    except SealsteadError as exc:
        return _failed(name, exc), None
    return Step(name=name, state=State.PASSED, message=words(result)), result


def _failed(name: StepName, exc: SealsteadError) -> Step:
    return Step(name=name, state=State.FAILED, message=exc.message, code=exc.code, hint=exc.hint)
