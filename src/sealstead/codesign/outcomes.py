"""What is wanted of a run that signs or time-stamps files, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sealstead.errors import SealsteadError
from sealstead.record import Record

if TYPE_CHECKING:
    from datetime import datetime

    from sealstead.codesign.digested import Digested
    from sealstead.codesign.kinds import Kind
    from sealstead.codesign.server_values import ServerCertificate
    from sealstead.codesign.stamper import Stamper
    from sealstead.codesign.targets import Target


class Selector(Record):
    """Exactly one is given."""

    label: str | None = None
    thumbprint: str | None = None
    subject: str | None = None

    def __str__(self) -> str:
        name, value = next((name, value) for name, value in vars(self).items() if value is not None)
        return f"{name} {value}"


class Wishes(Record):
    """How to sign. `unsupported`: fail, skip or detached."""

    selector: Selector
    algorithm: str = "SHA256"
    description: str | None = None
    description_url: str | None = None
    unsupported: str = "fail"
    append: bool = False
    skip_signed: bool = False
    verify_after: bool = False
    go_on: bool = False
    dry_run: bool = False
    jobs: int = 4
    extra_certificates: tuple[bytes, ...] = ()
    stamper: Stamper | None = None
    progress: Callable[[float], None] = lambda _: None
    """Called with how much of a file is done, each time some is; by several threads."""


class Outcome:
    """What became of a file: signed, time-stamped, would-sign, skipped, failed, or not-reached."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.status = "not-reached"
        self.kind: Kind | None = None
        self.algorithm = ""
        self.digest = b""
        self.certificate: ServerCertificate | None = None
        self.stamped_at: datetime | None = None
        self.note = ""
        self.request_id = ""
        self.error: SealsteadError | None = None
        self.digested: Digested | None = None
        self.signature = b""

    @property
    def signature_path(self) -> Path | None:
        """Where the signature is, if not in the file."""
        if self.kind is None or not self.kind.beside:
            return None
        return self.target.path.with_name(self.target.path.name + self.kind.beside)

    @property
    def open(self) -> bool:
        return self.status == "not-reached" and self.error is None

    def fail(self, error: SealsteadError) -> None:
        self.status, self.error = "failed", error
