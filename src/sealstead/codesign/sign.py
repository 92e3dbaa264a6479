"""Sign files with a key that a server holds: digests go there, signatures come back and are put to the files.

For 256 files at a time, in this order, so that a file is as it was until all that can fail elsewhere has succeeded:

1. read each file once: its digests, and the signature that it has;
2. ask the server for all signatures in one request, and look at the answers;
3. get a time-stamp for each, where one is wanted;
4. put them to the files, which must be what was digested still;
5. read the files again, where that is wanted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sealstead.at_once import at_once
from sealstead.codesign import signatures
from sealstead.codesign.choosing import choose_kind
from sealstead.codesign.kinds import MINISIGN, is_signature_of
from sealstead.codesign.outcomes import Outcome, Wishes
from sealstead.codesign.placing import place
from sealstead.codesign.server_values import SignItem, SignRequest
from sealstead.errors import SealsteadError, VerificationError
from sealstead.formats.digests import same

if TYPE_CHECKING:
    from sealstead.codesign.server_api import ServerApi
    from sealstead.codesign.server_values import ServerCertificate
    from sealstead.codesign.targets import Target

BATCH = 256
BLAKE2B_512 = "BLAKE2b-512"
_A_STEP = 0.5
"""Reading a file and finishing its signature are the two that take time."""


class VerifyAfterError(VerificationError):
    """A file that was just signed does not hold what was put to it."""

    code = "verify-after-signing"


def sign_targets(
    api: ServerApi, certificates: Sequence[ServerCertificate], targets: Sequence[Target], wishes: Wishes
) -> Iterator[list[Outcome]]:
    """Sign, and give what became of the files, a batch at a time.

    Without `wishes.go_on` the first file that fails ends it, before anything of its batch was asked of the server.

    Raises:
        KeyUnavailableError, DeniedError, UpstreamError and others of `ServerApi`: the server signs nothing for us.
    """
    for start in range(0, len(targets), BATCH):
        batch = [Outcome(target) for target in targets[start : start + BATCH]]
        _sign_batch(api, certificates, batch, wishes)
        yield batch
        if not wishes.go_on and any(one.status == "failed" for one in batch):
            return


def _sign_batch(
    api: ServerApi, certificates: Sequence[ServerCertificate], batch: Sequence[Outcome], wishes: Wishes
) -> None:
    steps: tuple[Callable[[], None], ...] = (
        lambda: each(batch, partial(_digest, certificates, wishes), wishes),
        lambda: _ask(api, batch, wishes),
        lambda: each(batch, partial(_finish, wishes), wishes),
        lambda: put(batch, wishes),
    )
    for step in steps:
        if wishes.go_on or not any(one.error for one in batch):
            step()


def each(batch: Sequence[Outcome], work: Callable[[Outcome], None], wishes: Wishes) -> None:
    """Do `work` for each outcome that is open; what goes wrong with one of them stays with it."""

    def one(outcome: Outcome) -> None:
        try:
            work(outcome)
        except SealsteadError as exc:
            outcome.fail(exc)
        wishes.progress(_A_STEP)

    at_once([partial(one, outcome) for outcome in batch if outcome.open], jobs=wishes.jobs)


def put(batch: Sequence[Outcome], wishes: Wishes, *, done: str = "signed") -> None:
    """Put the signatures of all open outcomes to their files, and read them again where that is wanted."""
    ready = [one for one in batch if one.open]
    prepared = []
    for one in ready:
        assert one.kind is not None  # noqa: S101 - chosen before it was digested
        assert one.digested is not None  # noqa: S101 - step 1
        prepared.append(one.kind.handler.prepared(one.digested, one.signature))
    failed = place(prepared, jobs=wishes.jobs)
    for one in ready:
        assert one.digested is not None  # noqa: S101 - step 1
        if (error := failed.get(one.digested.path)) is not None:
            one.fail(error)
    if wishes.verify_after:
        each(batch, _verify, wishes)
    for one in ready:
        if one.open:
            one.status = done


def _digest(certificates: Sequence[ServerCertificate], wishes: Wishes, outcome: Outcome) -> None:
    kind = choose_kind(outcome.target, certificates, unsupported=wishes.unsupported)
    if kind is None:
        outcome.status, outcome.note = "skipped", "no kind of file that is signed here"
        return
    if kind.beside and (content := is_signature_of(outcome.target.path)):
        # A pattern that named the files of a release the first time names their signatures too the next time.
        outcome.status, outcome.note = "skipped", f"is the signature of {content.name}"
        return
    outcome.kind = kind
    outcome.algorithm = BLAKE2B_512 if kind.profile == MINISIGN else wishes.algorithm
    digested = kind.handler.digest(outcome.target.path, [outcome.algorithm])
    outcome.digest = digested.digests[outcome.algorithm]
    if wishes.skip_signed and digested.existing is not None:
        if kind.profile != MINISIGN and (name := signatures.algorithm_of(kind, digested.existing)):
            digested = kind.handler.digest(outcome.target.path, list({outcome.algorithm, name}))
        if signatures.is_of(kind, digested, certificates):
            outcome.status, outcome.note = "skipped", "has a signature of its content"
            return
    outcome.digested = digested
    if wishes.dry_run:
        outcome.status = "would-sign"


def _told(name: str) -> str:
    """Return the name for the server's event, which takes what can be seen: no name is a reason not to sign."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)


def _ask(api: ServerApi, batch: Sequence[Outcome], wishes: Wishes) -> None:
    by_profile: dict[str, list[Outcome]] = {}
    for outcome in batch:
        if outcome.open and outcome.kind is not None:
            by_profile.setdefault(outcome.kind.profile, []).append(outcome)
    for profile, outcomes in by_profile.items():
        request = SignRequest(
            items=[
                SignItem(
                    kind=outcome.kind.wire if outcome.kind else "",
                    digest=outcome.digest,
                    file_name=_told(outcome.target.path.name),
                    file_size=outcome.digested.size if outcome.digested else None,
                )
                for outcome in outcomes
            ],
            profile=profile,
            algorithm=outcomes[0].algorithm,
            description=wishes.description,
            description_url=wishes.description_url,
            **vars(wishes.selector),
        )
        answer = api.sign(request, idempotency_key=os.urandom(16).hex())
        for outcome, signature in zip(outcomes, answer.signatures, strict=True):
            outcome.signature, outcome.certificate = signature, answer.certificate
            outcome.request_id = answer.request_id


def _finish(wishes: Wishes, outcome: Outcome) -> None:
    """Look at the answer, and put into it what belongs there."""
    kind, digested, signature = outcome.kind, outcome.digested, outcome.signature
    assert kind is not None  # noqa: S101 - chosen before it was digested
    assert digested is not None  # noqa: S101 - step 1
    assert outcome.certificate is not None  # noqa: S101 - step 2
    signatures.check_answer(
        kind,
        outcome.algorithm,
        outcome.digest,
        signature,
        outcome.certificate,
        proved=wishes.verify_after or wishes.stamper is not None,
    )
    if wishes.extra_certificates:
        signature = signatures.with_certificates(kind, signature, wishes.extra_certificates)
    if wishes.stamper is not None:
        stamp = wishes.stamper.stamp(signatures.signature_value(kind, signature))
        signature = signatures.with_stamp(kind, signature, stamp.token)
        outcome.stamped_at = stamp.at
    if wishes.append and digested.existing is not None:
        signature = signatures.appended(kind, digested.existing, signature)
    outcome.signature = signature


def _verify(outcome: Outcome) -> None:
    kind = outcome.kind
    assert kind is not None  # noqa: S101 - chosen before it was digested
    found = kind.handler.digest(outcome.target.path, [outcome.algorithm])
    held = same(found.existing or b"", outcome.signature)
    if not held or not same(found.digests[outcome.algorithm], outcome.digest):
        raise VerifyAfterError(
            f"{outcome.target.name} does not hold what was just written to it",
            hint="something else writes it, or the disk is failing",
        )
