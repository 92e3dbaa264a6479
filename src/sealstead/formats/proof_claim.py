"""The claim inside a proof: its JSON in two spellings, and what is signed of it. `proof_text` has the rules."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sealstead.errors import ParseError
from sealstead.formats.minisign import PublicKey
from sealstead.record import Record

Form = Literal["full", "compact", "tiny"]

PREFIX = "pypi-profile-proof:"
CLAIM = "controls-url"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
MAX_TOKEN_CHARS = 24_000
"""A URL of 2,000 characters, each of them escaped, and room."""

KIND = b"ED"
_FULL_KEYS = frozenset(
    {
        "profile_package",
        "pypi_username",
        "claim",
        "subject",
        "issued_at",
        "expires_at",
        "nonce",
        "key_id",
        "signature_backend",
        "signature",
    }
)
_COMPACT_KEYS = frozenset({"p", "u", "s", "i", "e", "n", "g"})

_RESERVED = (
    frozenset({"p", "s", "u"}),
    frozenset({"claim", "subject"}),
    frozenset({"profile_package", "pypi_username", "subject"}),
)
"""What all claims of a form have: the short ones, and the full one."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value


# What `json.dumps` and `json.loads` make anew each time.
_ESCAPED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_AS_IT_IS = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_once)


class ProofFormatError(ParseError):
    """The text is no proof."""

    code = "proof-format"


class ProofContext(Record):
    """What is claimed: this user, whose profile is published as this package, controls this URL."""

    package: str
    username: str
    url: str


class Proof(Record):
    """What the text of a full or compact proof says; nothing in it is proved."""

    form: Form
    context: ProofContext
    issued_at: datetime
    expires_at: datetime
    key_id: bytes | None
    """8 bytes in the order of the file; a compact proof does not say."""
    signature: bytes
    messages: tuple[bytes, ...]
    """What may have been signed: with non-ASCII characters escaped, and as they are."""


@functools.lru_cache(maxsize=512)
def parse_proof(token: str) -> Proof:
    """Return what a full or compact proof says.

    Raises:
        ProofFormatError: it is none.
    """
    text = token.strip()
    if text[: len(PREFIX)].lower() == PREFIX:
        text = text[len(PREFIX) :].strip()
    if len(text) > MAX_TOKEN_CHARS:
        raise ProofFormatError("not a proof: too long")
    claim = _json(decode(text))
    known = _COMPACT_KEYS if "p" in claim else _FULL_KEYS
    other = _FULL_KEYS if "p" in claim else _COMPACT_KEYS
    if missing := sorted(known - set(claim)):
        raise ProofFormatError(f"not a proof: {missing[0]} is missing")
    if not other.isdisjoint(claim):
        raise ProofFormatError("not a proof: two forms at once")
    return _compact(claim) if known is _COMPACT_KEYS else _full(claim)


def is_claim_message(message: bytes) -> bool:
    """Tell whether a signature over `message` could be turned into a proof: such bytes are signed as a proof only.

    The one answer for all who sign what others hand them. It reserves more than `parse_proof` reads: what another
    reader may take for a claim, and what is nested too deep for us to say what it is.
    """
    try:
        # Numbers stay text, so that none is too long to be read.
        claim = json.loads(message, parse_int=str, parse_float=str)
    except RecursionError:
        return True
    except ValueError:
        return False
    return isinstance(claim, dict) and any(keys <= claim.keys() for keys in _RESERVED)


def make_claim(
    key: PublicKey, context: ProofContext, *, form: Form, at: datetime, expires_at: datetime, nonce: bytes
) -> dict[str, Any]:
    match form:
        case "tiny":
            return tiny_claim(context, at.year)
        case "compact":
            return {
                "p": context.package,
                "u": context.username,
                "s": context.url,
                "i": int(at.timestamp()),
                "e": int(expires_at.timestamp()),
                "n": encode(nonce),
            }
        case "full":
            return {
                "profile_package": context.package,
                "pypi_username": context.username,
                "claim": CLAIM,
                "subject": context.url,
                "issued_at": at.strftime(MOMENT),
                "expires_at": expires_at.strftime(MOMENT),
                "nonce": _uuid4(nonce),
                "key_id": key.key_id.hex().upper(),
                "signature_backend": "minisign",
            }


def tiny_claim(context: ProofContext, year: int) -> dict[str, Any]:
    return {"p": context.package, "s": context.url, "u": context.username, "y": year}


def canonical(claim: dict[str, Any], *, escaped: bool = True) -> bytes:
    text = (_ESCAPED if escaped else _AS_IT_IS).encode(claim)
    return text.encode("utf-8", "replace")  # half a surrogate pair verifies in its escaped spelling only


def _messages(claim: dict[str, Any], signature_key: str) -> tuple[bytes, ...]:
    unsigned = {key: value for key, value in claim.items() if key != signature_key}
    escaped = canonical(unsigned)
    # Without a character that is escaped, both spellings are one.
    return escaped, canonical(unsigned, escaped=False) if b"\\u" in escaped else escaped


def _full(claim: dict[str, Any]) -> Proof:
    if claim["claim"] != CLAIM or claim["signature_backend"] != "minisign":
        raise ProofFormatError("not a proof of a known kind")
    try:
        raw = base64.b64decode(_text(claim, "signature"), validate=True)
    except (binascii.Error, ValueError):
        raise ProofFormatError("not a proof: its signature is no base64") from None
    if len(raw) != 74 or raw[:2] != KIND:  # noqa: PLR2004 - two bytes, a key id and a signature
        raise ProofFormatError("not a proof: its signature is of another kind")
    if _text(claim, "key_id").upper() != raw[2:10].hex().upper():
        raise ProofFormatError("not a proof: it names two keys")
    return Proof(
        form="full",
        context=ProofContext(
            package=_text(claim, "profile_package"),
            username=_text(claim, "pypi_username"),
            url=_text(claim, "subject"),
        ),
        issued_at=_moment(_text(claim, "issued_at")),
        expires_at=_moment(_text(claim, "expires_at")),
        key_id=raw[2:10],
        signature=raw[10:],
        messages=_messages(claim, "signature"),
    )


def _compact(claim: dict[str, Any]) -> Proof:
    return Proof(
        form="compact",
        context=ProofContext(package=_text(claim, "p"), username=_text(claim, "u"), url=_text(claim, "s")),
        issued_at=_unix(claim["i"]),
        expires_at=_unix(claim["e"]),
        key_id=None,
        signature=decode(_text(claim, "g")),
        messages=_messages(claim, "g"),
    )


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode(raw.decode(json.detect_encoding(raw), "surrogatepass"))
    except (ValueError, RecursionError):
        raise ProofFormatError("not a proof: it is cut off or damaged") from None
    if not isinstance(value, dict):
        raise ProofFormatError("not a proof: no JSON object")
    # No form has other values; what is nested could end the writer of JSON, or a reader with less stack than ours.
    if any(type(each) not in (str, int) for each in value.values()):
        raise ProofFormatError("not a proof: it holds something else than texts and numbers")
    return value


def _text(claim: dict[str, Any], key: str) -> str:
    value = claim[key]
    if not isinstance(value, str):
        raise ProofFormatError(f"not a proof: {key} is no text")
    return value


def _moment(text: str) -> datetime:
    try:
        # As `MOMENT` says; `strptime` would first load tables of weekdays and months.
        if _MOMENT.fullmatch(text) is None:
            raise ValueError(text)  # noqa: TRY301 - the one way in which it is none
        return datetime.fromisoformat(text)
    except ValueError:
        raise ProofFormatError(f"not a proof: {text[:40]!a} is no moment") from None


def _unix(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProofFormatError("not a proof: a moment is no number")
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except OverflowError:
        raise ProofFormatError("not a proof: a moment is out of bounds") from None


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url, padded or not; one value has one text."""
    body = text.rstrip("=")
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ProofFormatError("not a proof: it is cut off or damaged") from None
    if encode(raw) != body:
        raise ProofFormatError("not a proof: it is cut off or damaged")
    return raw


def _uuid4(nonce: bytes) -> str:
    """Write 16 random bytes as a UUID of version 4 (RFC 9562, section 5.4)."""
    raw = bytearray(nonce)
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
