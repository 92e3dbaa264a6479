"""Put time-stamps to files that are signed already (RFC 3161); no signing server is needed.

A time-stamp vouches for a signature for ever, so only one that holds gets one: it must be of the file as it is, and by
the certificate that it carries. Of several signatures in one file, the first is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.codesign import signatures
from sealstead.codesign.kinds import CMS_DETACHED, Kind, detached_kind, kind_of
from sealstead.codesign.outcomes import Outcome
from sealstead.codesign.sign import each, put
from sealstead.errors import VerificationError
from sealstead.formats.digests import digest_algorithm, same

if TYPE_CHECKING:
    from sealstead.codesign.outcomes import Wishes
    from sealstead.codesign.targets import Target

BATCH = 256


class SignatureNotOfFileError(VerificationError):
    """A file was changed after it was signed; its signature gets no time-stamp."""

    code = "signature-not-of-file"


def stamp_targets(targets: Sequence[Target], wishes: Wishes) -> Iterator[list[Outcome]]:
    """Put time-stamps to files, and give what became of them, a batch at a time; those without a signature are skipped."""
    for start in range(0, len(targets), BATCH):
        batch = [Outcome(target) for target in targets[start : start + BATCH]]
        _stamp_batch(batch, wishes)
        yield batch
        if not wishes.go_on and any(one.error for one in batch):
            return


def _stamp_batch(batch: Sequence[Outcome], wishes: Wishes) -> None:
    steps: tuple[Callable[[], None], ...] = (
        lambda: each(batch, _read, wishes),
        lambda: each(batch, partial(_stamp, wishes), wishes),
        lambda: put(batch, wishes, done="time-stamped"),
    )
    for step in steps:
        if wishes.go_on or not any(one.error for one in batch):
            step()


def signed_file(target: Target) -> tuple[Path, Kind | None]:
    """Return the file that was signed, which a name such as `app.zip.p7s` also means, and its kind."""
    detached = detached_kind(CMS_DETACHED)
    assert detached is not None  # noqa: S101 - one of our rows
    if target.path.suffix == detached.beside:
        return target.path.with_suffix(""), detached
    if (kind := kind_of(target.path)) is not None:
        return target.path, kind
    beside = target.path.with_name(target.path.name + detached.beside)
    return target.path, detached if beside.exists() else None


def _read(outcome: Outcome) -> None:
    path, kind = signed_file(outcome.target)
    if kind is None:
        outcome.status, outcome.note = "skipped", "has no signature"
        return
    digested = kind.handler.digest(path, ["SHA256"])
    if digested.existing is None:
        outcome.status, outcome.note = "skipped", "has no signature"
        return
    name, digest = signatures.stated(kind, digested.existing)
    digest_algorithm(name)  # a time-stamp does not make an old hash algorithm good again
    if name not in digested.digests:
        digested = kind.handler.digest(path, [name])
    if not same(digested.digests[name], digest):
        raise SignatureNotOfFileError(
            f"{outcome.target.name} was changed after it was signed", hint="sign it again"
        )
    signatures.prove(kind, digested.existing or b"", digest)
    outcome.kind, outcome.digested, outcome.algorithm, outcome.digest = kind, digested, name, digest


def _stamp(wishes: Wishes, outcome: Outcome) -> None:
    assert wishes.stamper is not None  # noqa: S101 - the caller's
    assert outcome.kind is not None  # noqa: S101 - read before
    assert outcome.digested is not None  # noqa: S101 - read before
    signature = outcome.digested.existing or b""
    stamp = wishes.stamper.stamp(signatures.signature_value(outcome.kind, signature))
    outcome.signature = signatures.with_stamp(outcome.kind, signature, stamp.token)
    outcome.stamped_at = stamp.at
