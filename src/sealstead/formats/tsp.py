"""Time-stamps: ask for one, and read what came back (RFC 3161; RFC 5816).

Not here: the way to an authority (`net/tsa.py`), and whether its certificate is to be trusted
(`codesign/timestamp_check.py`). Nothing that is read here is proved.

Rules:
  * the nonce and the imprint of an answer must be those of the question, or it is the answer to another;
  * "granted with modifications" is granted: what was modified is seen in the token.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sealstead.errors import ParseError, UpstreamError, VerificationError
from sealstead.formats.cms_read import SignedData, add_unsigned_attribute, parse_signed_data
from sealstead.formats.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    UTF8_STRING,
    MalformedDerError,
    Tlv,
    boolean,
    children,
    integer,
    octets,
    read_integer,
    read_oid,
    seq,
    walk,
    whole,
)
from sealstead.formats.digests import DigestAlgorithm, checked_digest, read_digest_algorithm, same
from sealstead.record import Record

CONTENT_TYPE_OF_REQUEST = "application/timestamp-query"
CONTENT_TYPE_OF_RESPONSE = "application/timestamp-reply"
ID_TST_INFO = "1.2.840.113549.1.9.16.1.4"
CMS_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
"""The attribute that holds a token over a signature in CMS (RFC 3161, appendix A); Authenticode has one of its own."""

NONCE_BYTES = 8
"""As others send; enough that nobody guesses which answer to replay."""

GRANTED, GRANTED_WITH_MODS = 0, 1
_STATUS = {
    2: "rejected",
    3: "waiting",
    4: "revocation warning",
    5: "revoked",
}
_FAILURES = {
    # RFC 3161, section 2.4.2: the bit, and what it says
    0: "the hash algorithm is not known there",
    2: "the request was not accepted",
    5: "the request could not be read",
    14: "the clock of the authority is not available",
    15: "the policy asked for is not known there",
    16: "the extension asked for is not known there",
    17: "the additional information asked for is not available",
    25: "the authority failed",
}
_ACCURACY_MILLIS, _ACCURACY_MICROS = 0x80, 0x81
_TIME = re.compile(r"(\d{14})(?:\.(\d{1,9}))?Z", re.ASCII)
_MOST_TEXT = 400


class MalformedTimestampError(ParseError):
    """Not the answer of a time-stamp authority, or not a time-stamp."""

    code = "malformed-timestamp"


class TimestampRefusedError(UpstreamError):
    """The authority answered, and gave no time-stamp."""

    code = "timestamp-refused"


class TimestampMismatchError(VerificationError):
    """A time-stamp of something else, or the answer to another question."""

    code = "timestamp-mismatch"


class TimestampResponse(Record):
    status: int
    text: str
    """What the authority says about it; words of somebody else, cleaned for showing."""
    failures: tuple[str, ...]
    token: bytes | None

    @property
    def granted(self) -> bool:
        return self.status in (GRANTED, GRANTED_WITH_MODS) and self.token is not None


class TimestampToken(Record, hidden=("signed_data",)):
    signed_data: SignedData
    policy: str
    alg: DigestAlgorithm
    imprint: bytes
    serial: int
    at: datetime
    accuracy: timedelta | None
    nonce: int | None


def make_request(alg: str, imprint: bytes, *, nonce: int) -> bytes:
    """Return the TimeStampReq for a digest; `nonce` should be unforeseeable (`NONCE_BYTES` long) and not negative.

    The authority is asked for its certificate, without which nobody could check the token later.

    Raises:
        UnknownDigestError, DigestLengthError: the imprint is not what it says.
    """
    algorithm = checked_digest(alg, imprint)
    return seq(
        integer(1),
        seq(algorithm.identifier, octets(imprint)),
        integer(nonce),
        boolean(True),  # noqa: FBT003
    )


def add_cms_timestamp(der: bytes, token_der: bytes) -> bytes:
    """Return a detached signature with this time-stamp instead of any it had.

    Raises:
        MalformedCmsError, MalformedDerError: it is no signature.
    """
    return add_unsigned_attribute(der, CMS_TIMESTAMP, token_der, replace=True)


def parse_response(der: bytes) -> TimestampResponse:
    """Raises MalformedTimestampError, MalformedDerError: it is no TimeStampResp."""
    parts = walk(
        der, whole(der, "the answer of the time-stamp authority"), "the answer of the time-stamp authority"
    )
    info = walk(der, parts.take(SEQUENCE), "the status of a time-stamp")
    token = parts.find(SEQUENCE)
    parts.done()
    status = read_integer(der, info.take(INTEGER))
    texts = info.find(SEQUENCE)
    failures = info.find(BIT_STRING)
    info.done()
    words = [
        value.content(der).decode("utf-8", "replace")
        for value in (children(der, texts) if texts else ())
        if value.tag == UTF8_STRING
    ]
    return TimestampResponse(
        status=status,
        text=_printable(" ".join(words)),
        failures=_failures(failures.content(der)) if failures else (),
        token=token.raw(der) if token else None,
    )


def granted_token(response: TimestampResponse) -> bytes:
    """Return the token of an answer.

    Raises:
        TimestampRefusedError: there is none, with what the authority says about it.
    """
    if response.granted and response.token is not None:
        return response.token
    reasons = [*response.failures, *([response.text] if response.text else [])]
    status = _STATUS.get(response.status, "no time-stamp in it")
    raise TimestampRefusedError(
        f"the time-stamp authority gave no time-stamp: {'; '.join(reasons) or status}",
    )


def parse_token(der: bytes) -> TimestampToken:
    """Return what a time-stamp says.

    Raises:
        MalformedTimestampError: signed data of something else, or by more than one signer.
        MalformedCmsError, MalformedDerError, ForeignDigestError: as far as it could be read.
    """
    signed = parse_signed_data(der)
    if signed.content_type != ID_TST_INFO or signed.content is None or len(signed.signers) != 1:
        raise MalformedTimestampError("not a time-stamp")
    content = signed.content
    info = whole(content, "a time-stamp", tag=OCTET_STRING).content(content)
    parts = walk(info, whole(info, "a time-stamp"), "a time-stamp")
    if read_integer(info, parts.take(INTEGER)) != 1:
        raise MalformedTimestampError("a time-stamp of a version that is not known")
    policy = read_oid(info, parts.take(OID))
    imprint = walk(info, parts.take(SEQUENCE), "the imprint of a time-stamp")
    algorithm = read_digest_algorithm(info, imprint.take(SEQUENCE))
    digest = imprint.take(OCTET_STRING).content(info)
    imprint.done()
    serial = read_integer(info, parts.take(INTEGER))
    at = _moment(parts.take(GENERALIZED_TIME).content(info))
    accuracy = parts.find(SEQUENCE)
    parts.find(BOOLEAN)
    nonce = parts.find(INTEGER)
    return TimestampToken(
        signed_data=signed,
        policy=policy,
        alg=algorithm,
        imprint=digest,
        serial=serial,
        at=at,
        accuracy=_accuracy(info, accuracy) if accuracy else None,
        nonce=read_integer(info, nonce) if nonce else None,
    )


def check_answers(token: TimestampToken, *, alg: str, imprint: bytes, nonce: int | None = None) -> None:
    """Check that a token is of this imprint, and answers the request with this nonce (None: one read from a file).

    Raises:
        TimestampMismatchError: it is of something else, or an old answer.
    """
    if token.alg.name != alg or not same(token.imprint, imprint):
        raise TimestampMismatchError("the time-stamp is of something else")
    if nonce is not None and token.nonce != nonce:
        raise TimestampMismatchError("the time-stamp answers another request: its nonce is not the one sent")


def _failures(bits: bytes) -> tuple[str, ...]:
    if not bits:
        raise MalformedTimestampError("the reasons of a time-stamp authority cannot be read")
    found = [
        8 * number + bit for number, byte in enumerate(bits[1:5]) for bit in range(8) if byte & 0x80 >> bit
    ]
    return tuple(_FAILURES.get(bit, f"reason {bit}") for bit in found)


def _moment(text: bytes) -> datetime:
    """Return a GeneralizedTime in the one form that RFC 3161, section 2.4.2, allows."""
    matched = _TIME.fullmatch(text.decode("ascii", "replace"))
    if matched is None:
        raise MalformedTimestampError("the moment of a time-stamp cannot be read")
    try:
        whole_seconds = datetime.strptime(matched[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as exc:
        raise MalformedTimestampError("the moment of a time-stamp cannot be") from exc
    return whole_seconds.replace(microsecond=int((matched[2] or "0").ljust(9, "0")[:6]))


def _accuracy(data: bytes, value: Tlv) -> timedelta:
    total = timedelta()
    for part in children(data, value):
        number = int.from_bytes(part.content(data)[:8], "big", signed=True)
        unit = {INTEGER: "seconds", _ACCURACY_MILLIS: "milliseconds", _ACCURACY_MICROS: "microseconds"}.get(
            part.tag
        )
        if unit is None or not 0 <= number < 1 << 31:
            raise MalformedDerError("the accuracy of a time-stamp cannot be read")
        total += timedelta(**{unit: number})
    return total


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:_MOST_TEXT]).strip()
