"""Proofs: short signed texts that say "whoever holds this key also controls this page".

Three forms, as `pypi-profile` 0.3.0 reads and writes them:

  full     `pypi-profile-proof: ` + base64url(JSON): names the key, the claim and both moments in words
  compact  the same prefix, one-letter keys, Unix seconds: for pages with a limit of 500 characters
  tiny     `t:` + base64url(signature): the reader rebuilds the message; good for its year and the two after it

Signed is the JSON of the claim without its signature, keys sorted, no blanks: 64 bytes of Ed25519 over its BLAKE2b-512.

Rules:
  * we write non-ASCII characters escaped; both spellings verify, for the other tool signs either, by what is installed;
  * a claim is for one package, one user and one URL, compared character by character;
  * what a proof says of its key must be true of the key that verifies it; no expiry is no proof;
  * "expired" is said of a proof only after its signature holds.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sealstead.errors import ExpiredError, VerificationError
from sealstead.formats.minisign import BadSignatureError, PublicKey, SecretKey, sign_bare, verify_bare
from sealstead.formats.proof_claim import (
    KIND,
    MAX_TOKEN_CHARS,
    MOMENT,
    PREFIX,
    Form,
    Proof,
    ProofContext,
    ProofFormatError,
    canonical,
    decode,
    encode,
    is_claim_message,
    make_claim,
    parse_proof,
    tiny_claim,
)
from sealstead.record import Record

__all__ = [
    "MAX_TOKEN_CHARS",
    "NONCE_BYTES",
    "PREFIX",
    "TINY_PREFIX",
    "BadProofError",
    "EarlyProofError",
    "ExpiredProofError",
    "Form",
    "OtherClaimError",
    "Proof",
    "ProofContext",
    "ProofFormatError",
    "UnknownProofKeyError",
    "VerifiedProof",
    "find_proofs",
    "is_claim_message",
    "make_proof",
    "parse_proof",
    "signed_message",
    "verify_proof",
]

TINY_PREFIX = "t:"
NONCE_BYTES = 16
MAX_FOUND = 100
"""More on one page are not for us to try."""
TINY_YEARS = 3
CLOCK_SKEW = timedelta(days=1)
"""How far ahead of ours the signer's clock may be."""

_TOKEN = re.compile(rf"{PREFIX}\s{{0,64}}([A-Za-z0-9_-]+)={{0,3}}", re.IGNORECASE)
_TINY = re.compile(r"(?<![A-Za-z0-9_-])t:([A-Za-z0-9_-]{86})(?![A-Za-z0-9_-])")


class OtherClaimError(VerificationError):
    """A proof, but for another page, user or package."""

    code = "proof-other-claim"


class UnknownProofKeyError(VerificationError):
    """A proof made with a key that is not the profile's."""

    code = "proof-unknown-key"


class BadProofError(VerificationError):
    """The signature does not fit: the text was changed, or is not by this key."""

    code = "proof-signature"


class ExpiredProofError(ExpiredError):
    """It was good."""

    code = "proof-expired"


class EarlyProofError(ExpiredError):
    """It says it was made later than now."""

    code = "proof-early"


class VerifiedProof(Record):
    form: Form
    key_id: str
    """As minisign prints it."""
    issued_at: datetime
    expires_at: datetime
    """Exclusive."""


def make_proof(
    key: SecretKey, context: ProofContext, *, form: Form, at: datetime, expires_at: datetime, nonce: bytes
) -> str:
    """Return the text to put on the page. `nonce`: 16 random bytes. Tiny proofs take neither nonce nor expiry."""
    claim = make_claim(key.public, context, form=form, at=at, expires_at=expires_at, nonce=nonce)
    signature = sign_bare(key, canonical(claim))
    match form:
        case "tiny":
            return TINY_PREFIX + encode(signature)
        case "compact":
            claim["g"] = encode(signature)
        case "full":
            claim["signature"] = base64.b64encode(KIND + key.public.key_id + signature).decode()
    return f"{PREFIX} {encode(json.dumps(claim, separators=(',', ':')).encode())}"


def signed_message(token: str, context: ProofContext, *, at: datetime) -> bytes:
    """Return the bytes that our own proof `token` signs (`at`: when it was made), for a signature file beside it.

    Raises:
        ProofFormatError: it is no proof.
    """
    if token.startswith(TINY_PREFIX):
        return canonical(tiny_claim(context, at.year))
    return parse_proof(token).messages[0]


def find_proofs(text: str) -> list[str]:
    """Return every text on a page that may be a proof, each once, in the form `parse_proof` takes."""
    found = [f"{PREFIX} {match[1]}" for match in _TOKEN.finditer(text) if len(match[1]) <= MAX_TOKEN_CHARS]
    if TINY_PREFIX in text:
        found += [match[0] for match in _TINY.finditer(text)]
    return list(dict.fromkeys(found))[:MAX_FOUND]


def verify_proof(
    token: str, context: ProofContext, keys: Sequence[PublicKey], *, at: datetime
) -> VerifiedProof:
    """Return what `token` proves for `context` at the moment `at`, under one of `keys`.

    Raises:
        ProofFormatError: it is no proof.
        OtherClaimError: it is for another page, user or package.
        UnknownProofKeyError: it names a key that is not among `keys`, or there are none.
        BadProofError: the signature does not fit.
        EarlyProofError: it was made later than `at`, by more than a day.
        ExpiredProofError: authentic, and its time is over.
    """
    if not keys:
        raise UnknownProofKeyError("the profile has no public key to check the proof with")
    if token.strip().startswith(TINY_PREFIX):
        return _verify_tiny(token.strip(), context, keys, at)
    # 1. It is a proof, and for this claim.
    proof = parse_proof(token)
    _check_context(proof.context, context)
    # 2. It is by one of the keys; where it names one, by that one.
    candidates = [key for key in keys if proof.key_id in (None, key.key_id)]
    if not candidates:
        named = PublicKey(key_id=proof.key_id or b"", key=b"").id
        raise UnknownProofKeyError(f"made with key {named}, which is not the profile's")
    key = _signer(candidates, proof.messages, proof.signature)
    if key is None:
        raise BadProofError("the signature of the proof does not fit")
    # 3. Its time has come, and is not over.
    if proof.issued_at > at + CLOCK_SKEW:
        raise EarlyProofError(
            f"made on {proof.issued_at:{MOMENT}}, which is still to come", hint="is the clock right?"
        )
    if at >= proof.expires_at:
        raise ExpiredProofError(f"expired on {proof.expires_at:{MOMENT}}", hint="sign it again")
    return VerifiedProof(
        form=proof.form, key_id=key.id, issued_at=proof.issued_at, expires_at=proof.expires_at
    )


def _verify_tiny(token: str, context: ProofContext, keys: Sequence[PublicKey], at: datetime) -> VerifiedProof:
    signature = decode(token.removeprefix(TINY_PREFIX))
    for year in range(at.year, max(at.year - 10, 1970) - 1, -1):
        claim = tiny_claim(context, year)
        key = _signer(keys, (canonical(claim), canonical(claim, escaped=False)), signature)
        if key is None:
            continue
        ends = datetime(min(year + TINY_YEARS, 9999), 1, 1, tzinfo=UTC)
        if at >= ends:
            raise ExpiredProofError(f"expired on {ends:{MOMENT}}", hint="sign it again")
        return VerifiedProof(
            form="tiny", key_id=key.id, issued_at=datetime(year, 1, 1, tzinfo=UTC), expires_at=ends
        )
    raise BadProofError("the signature of the proof does not fit this page, user and package")


def _signer(keys: Sequence[PublicKey], messages: Sequence[bytes], signature: bytes) -> PublicKey | None:
    for key in keys:
        for message in dict.fromkeys(messages):
            try:
                verify_bare(key, message, signature)
            except BadSignatureError:
                continue
            return key
    return None


def _check_context(found: ProofContext, wanted: ProofContext) -> None:
    for what, is_for, should_be in (
        ("the page", found.url, wanted.url),
        ("the user", found.username, wanted.username),
        ("the package", found.package, wanted.package),
    ):
        if is_for != should_be:
            raise OtherClaimError(f"a proof for {what} {is_for[:200]!a}, not for {should_be[:200]!a}")
