"""What was found out about the signatures of a file: values, for text and JSON alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sealstead.clock import serialize_moment
from sealstead.errors import SealsteadError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

StepName = Literal["digest", "signature", "chain", "time-stamp"]
NUMBERS: dict[StepName, int] = {"digest": 1, "signature": 2, "chain": 3, "time-stamp": 4}


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNTRUSTED = "untrusted"
    """Failed at its root alone, and the caller said that this may be."""
    ABSENT = "absent"
    """There is nothing to check, and there need not be."""
    SKIPPED = "skipped"
    """Not looked at: an earlier step failed, or the caller did not ask."""


@dataclass(frozen=True, kw_only=True)
class Step:
    name: StepName
    state: State
    message: str
    code: str | None = None
    hint: str | None = None

    @property
    def number(self) -> int:
        return NUMBERS[self.name]


@dataclass(frozen=True, kw_only=True)
class Signer:
    subject: str
    issuer: str
    serial: str
    thumbprint: str
    thumbprint_sha256: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, kw_only=True)
class SignatureReport:
    """One signature; `description` and `url` are words of the signer."""

    kind: str
    alg: str
    steps: tuple[Step, ...]
    signer: Signer | None = None
    stamped_at: datetime | None = None
    authority: str | None = None
    description: str | None = None
    url: str | None = None

    @property
    def ok(self) -> bool:
        return all(step.state is not State.FAILED for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """`problem` is what kept the file from being looked at."""

    path: Path
    signatures: tuple[SignatureReport, ...] = ()
    problem: SealsteadError | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None and bool(self.signatures) and all(one.ok for one in self.signatures)


def signer_of(certificate: Certificate) -> Signer:
    from cryptography.hazmat.primitives import hashes

    return Signer(
        subject=certificate.subject.rfc4514_string() or "(no name)",
        issuer=certificate.issuer.rfc4514_string() or "(no name)",
        serial=f"{certificate.serial_number:X}",
        # What Windows and signing tools name a certificate by.
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        thumbprint_sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def as_document(report: FileReport) -> dict[str, Any]:
    """Return the report as JSON says it."""
    problem = report.problem
    return {
        "file": str(report.path),
        "ok": report.ok,
        "problem": None
        if problem is None
        else {"code": problem.code, "message": problem.message, "hint": problem.hint},
        "signatures": [_signature(number, one) for number, one in enumerate(report.signatures)],
    }


def _signature(number: int, report: SignatureReport) -> dict[str, Any]:
    signer = report.signer
    return {
        "index": number,
        "ok": report.ok,
        "kind": report.kind,
        "algorithm": report.alg,
        "description": report.description,
        "description_url": report.url,
        "signer": None
        if signer is None
        else {
            "subject": signer.subject,
            "issuer": signer.issuer,
            "serial": signer.serial,
            "thumbprint": signer.thumbprint,
            "thumbprint_sha256": signer.thumbprint_sha256,
            "not_before": serialize_moment(signer.not_before),
            "not_after": serialize_moment(signer.not_after),
        },
        "timestamp": None
        if report.stamped_at is None
        else {"at": serialize_moment(report.stamped_at), "authority": report.authority},
        "steps": [
            {
                "number": step.number,
                "name": step.name,
                "state": step.state.value,
                "code": step.code,
                "message": step.message,
                "hint": step.hint,
            }
            for step in report.steps
        ],
    }
