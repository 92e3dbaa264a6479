"""Check a `.minisig` beside a file, in the steps of `verify`: with keys that the caller trusts, for it names none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sealstead.codesign.signed_file import FoundSignature
from sealstead.codesign.verify_report import SignatureReport, State, Step, StepName
from sealstead.errors import SealsteadError, VerificationError
from sealstead.formats.minisign import PublicKey, Signature, parse_signature, verify_digest

ALGORITHM = "BLAKE2b-512"


class NoTrustedKeyError(VerificationError):
    """Nobody said which minisign key is trusted, or it was another."""

    code = "minisign-key-not-trusted"


def check_minisign(found: FoundSignature, keys: Sequence[PublicKey]) -> SignatureReport:
    """Raises MinisignFormatError: it is no signature."""
    signature = parse_signature(found.signature)
    key = next((key for key in keys if key.key_id == signature.key_id), None)
    stamp = Step(name="time-stamp", state=State.ABSENT, message="a minisign signature has none")
    if key is None:
        error = NoTrustedKeyError(
            f"made with key {signature.id}, which was not named as trusted",
            hint="name it: --public-key FILE, or its line that begins with RW",
        )
        chain = Step(
            name="chain", state=State.FAILED, message=error.message, code=error.code, hint=error.hint
        )
        digest, made = _skipped("digest"), _skipped("signature")
    else:
        chain = Step(
            name="chain", state=State.PASSED, message=f"key {key.id} is one that was named as trusted"
        )
        digest, made = _over_digest(key, signature, lambda: found.digests((ALGORITHM,))[ALGORITHM])
    return SignatureReport(
        kind="minisign",
        alg=ALGORITHM,
        steps=(digest, made, chain, stamp),
        description=signature.trusted_comment or None,
    )


def _over_digest(key: PublicKey, signature: Signature, digest: Callable[[], bytes]) -> tuple[Step, Step]:
    try:
        verify_digest(key, digest(), signature)
    except SealsteadError as exc:
        failed = Step(name="signature", state=State.FAILED, message=exc.message, code=exc.code, hint=exc.hint)
        return _skipped("digest"), failed
    return (
        Step(
            name="digest", state=State.PASSED, message=f"the file has the {ALGORITHM} digest that was signed"
        ),
        Step(name="signature", state=State.PASSED, message=f"made with key {key.id}"),
    )


def _skipped(name: StepName) -> Step:
    return Step(name=name, state=State.SKIPPED, message="not looked at")
