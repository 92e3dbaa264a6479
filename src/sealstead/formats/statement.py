"""Statements about keys: one key follows another, or a key is revoked. Signed text that a profile carries.

A statement is a message of a few lines, an empty line, and whole minisign signatures of the message, each with four
lines; a rotation has two, by the predecessor and by the successor, a revocation one. Cut apart at the empty line, each
signature is one that plain `minisign -V` checks.

    sealstead statement v1: rotation
    predecessor: RWQ...
    successor: RWQ...
    issued-at: 2026-11-21T14:00:00Z
    retires-at: 2026-11-28T14:00:00Z

Why a trusted comment: minisign has no domain separation, and a key also signs files and proofs that others choose. The
signature over (signature, trusted comment) with our tag in the comment is one that no other command makes, the server
included (`reserved_comment`). A statement counts only with that second signature.

Rules: one statement has one text (what parses is what `serialize` writes, but for line ends); times are whole seconds
of UTC. Whether a statement matters for a profile is decided in `identity.statements`.
"""

from __future__ import annotations

import enum
import re
from datetime import UTC, datetime

from sealstead.errors import InputError, ParseError, VerificationError
from sealstead.formats.minisign import (
    PublicKey,
    SecretKey,
    digest_of,
    parse_public_key,
    parse_signature,
    serialize_signature,
    sign_digest,
    verify_digest,
)
from sealstead.record import Record

TAG = "sealstead-statement"
"""In the trusted comment of every statement, and of nothing else that any command of ours signs."""
MAX_CHARS = 8192

_HEAD = "sealstead statement v1: "
_SIGNATURE_LINES = 4
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TIME_TEXT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


class StatementFormatError(ParseError):
    """The text is no statement about a key."""

    code = "statement-format"


class StatementError(VerificationError):
    """Well-formed and rightly signed, but for something else: the tag of a statement is missing."""

    code = "statement"


class StatementInputError(InputError):
    """A statement that would say nothing sensible."""

    code = "statement-input"


class Reason(enum.StrEnum):
    """Why a key is revoked."""

    COMPROMISED = "compromised"
    LOST = "lost"
    SUPERSEDED = "superseded"
    UNSPECIFIED = "unspecified"


class Rotation(Record):
    """From `issued_at` the successor stands in for the predecessor, which is good until `retires_at` (exclusive)."""

    predecessor: PublicKey
    successor: PublicKey
    issued_at: datetime
    retires_at: datetime


class Revocation(Record):
    """`key` is not to be believed from `revoked_at` on. The signer is the key itself, or one that stands for it."""

    key: PublicKey
    signer: PublicKey
    issued_at: datetime
    revoked_at: datetime
    reason: Reason


Statement = Rotation | Revocation


def reserved_comment(trusted_comment: str) -> bool:
    """Tell whether a trusted comment is one for statements alone: nothing else may be signed with it."""
    return TAG in trusted_comment.casefold()


def reserved_message(begin: bytes) -> bool:
    """Tell whether bytes that begin so are the message of a statement, which `sign-file` leaves alone."""
    return begin.lstrip().lower().startswith(b"sealstead statement")


def make_rotation(
    predecessor: SecretKey, successor: SecretKey, *, issued_at: datetime, retires_at: datetime
) -> str:
    """Return the statement, signed by both keys. The end of the overlap is at or after its begin.

    Raises:
        StatementInputError: the keys are one, or the end is before the begin.
    """
    rotation = Rotation(
        predecessor=predecessor.public,
        successor=successor.public,
        issued_at=_seconds(issued_at),
        retires_at=_seconds(retires_at),
    )
    if predecessor.public.key == successor.public.key or rotation.retires_at < rotation.issued_at:
        raise StatementInputError("a rotation leads from one key to another, and from now on")
    return _signed(rotation, (predecessor, successor))


def make_revocation(
    signer: SecretKey, key: PublicKey, *, issued_at: datetime, revoked_at: datetime, reason: Reason
) -> str:
    """Return the statement, signed by the key itself or by the one that stands for it."""
    revocation = Revocation(
        key=key,
        signer=signer.public,
        issued_at=_seconds(issued_at),
        revoked_at=_seconds(revoked_at),
        reason=reason,
    )
    return _signed(revocation, (signer,))


def verify_statement(text: str) -> Statement:
    """Return what a statement says, once every signature that it needs has been checked.

    Raises:
        StatementFormatError: no statement.
        StatementError: signed, but not as a statement.
        WrongKeyError, LegacySignatureError, BadSignatureError: a signature does not hold.
    """
    plain = text.replace("\r\n", "\n").strip("\n")
    if len(plain) > MAX_CHARS:
        raise StatementFormatError("not a statement: too long")
    message, _, rest = plain.partition("\n\n")
    statement = _parse_message(message + "\n")
    signers = _signers(statement)
    lines = rest.split("\n")
    if len(lines) != _SIGNATURE_LINES * len(signers):
        raise StatementFormatError("not a statement: it has not the signatures that it needs")
    for number, signer in enumerate(signers):
        part = lines[number * _SIGNATURE_LINES : (number + 1) * _SIGNATURE_LINES]
        signature = parse_signature(("\n".join(part) + "\n").encode("utf-8", "surrogatepass"))
        if signature.trusted_comment != _comment(statement):
            raise StatementError("not signed as a statement: the tag is missing")
        if signature.untrusted_comment != _UNTRUSTED:
            raise StatementFormatError("not a statement: an unsigned line was changed")
        verify_digest(signer, digest_of(_message(statement)), signature)
    return statement


_UNTRUSTED = "signature of a statement about a key"


def _signed(statement: Statement, keys: tuple[SecretKey, ...]) -> str:
    message = _message(statement)
    signatures = [
        sign_digest(
            key, digest_of(message), trusted_comment=_comment(statement), untrusted_comment=_UNTRUSTED
        )
        for key in keys
    ]
    text = message.decode() + "\n" + b"".join(map(serialize_signature, signatures)).decode()
    verify_statement(text)
    return text


def _comment(statement: Statement) -> str:
    return f"{TAG}:v1:{_kind(statement)}"


def _kind(statement: Statement) -> str:
    return "rotation" if isinstance(statement, Rotation) else "revocation"


def _signers(statement: Statement) -> tuple[PublicKey, ...]:
    if isinstance(statement, Rotation):
        return statement.predecessor, statement.successor
    return (statement.signer,)


def _message(statement: Statement) -> bytes:
    if isinstance(statement, Rotation):
        fields = {
            "predecessor": statement.predecessor.line,
            "successor": statement.successor.line,
            "issued-at": statement.issued_at.strftime(_TIME),
            "retires-at": statement.retires_at.strftime(_TIME),
        }
    else:
        fields = {
            "key": statement.key.line,
            "signer": statement.signer.line,
            "issued-at": statement.issued_at.strftime(_TIME),
            "revoked-at": statement.revoked_at.strftime(_TIME),
            "reason": statement.reason.value,
        }
    lines = [_HEAD + _kind(statement), *(f"{name}: {value}" for name, value in fields.items())]
    return ("\n".join(lines) + "\n").encode()


def _parse_message(message: str) -> Statement:
    head, *lines = message.removesuffix("\n").split("\n")
    fields = dict(line.partition(": ")[::2] for line in lines)
    statement: Statement
    try:
        if head == f"{_HEAD}rotation":
            statement = Rotation(
                predecessor=parse_public_key(fields["predecessor"]),
                successor=parse_public_key(fields["successor"]),
                issued_at=_moment(fields["issued-at"]),
                retires_at=_moment(fields["retires-at"]),
            )
        elif head == f"{_HEAD}revocation":
            statement = Revocation(
                key=parse_public_key(fields["key"]),
                signer=parse_public_key(fields["signer"]),
                issued_at=_moment(fields["issued-at"]),
                revoked_at=_moment(fields["revoked-at"]),
                reason=Reason(fields["reason"]),
            )
        else:
            raise StatementFormatError("not a statement of a kind that is known here")
    except (KeyError, ValueError) as exc:
        raise StatementFormatError("not a statement: a line is missing or damaged") from exc
    if _message(statement) != message.encode("utf-8", "surrogatepass"):
        raise StatementFormatError("not a statement: it is not written as statements are")
    return statement


def _moment(text: str) -> datetime:
    if not re.fullmatch(_TIME_TEXT, text):
        raise ValueError(text)
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def _seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
