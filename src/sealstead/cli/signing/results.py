"""What became of each file, told as it becomes known or as one JSON document at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealstead.cli import output
from sealstead.cli.main import exit_code_of
from sealstead.clock import moment_text, serialize_moment

if TYPE_CHECKING:
    from sealstead.cli.signing.options import SigningOptions
    from sealstead.codesign.outcomes import Outcome

_REFUSED = 1
_NO_FILE = {"code": "no-files", "message": "no file", "hint": None}


class Teller:
    """Tells what becomes of `total` files."""

    def __init__(self, options: SigningOptions, *, go_on: bool, total: int) -> None:
        self._options = options
        self._go_on = go_on
        self._total = total
        self._outcomes: list[Outcome] = []
        self._missing: list[str] = []
        self._progress = output.Progress(total)

    def advance(self, by: float) -> None:
        """Called with fractions of a file as work on it goes on."""
        self._progress.advance(by)

    def missing(self, names: Sequence[str]) -> None:
        """Tell of names that led to no file."""
        for name in names:
            self._missing.append(name)
            if not self._options.as_json:
                output.error(f"{output.on_one_line(name)}: no file")

    def run(self, batches: Iterable[Sequence[Outcome]], facts: Mapping[str, Any]) -> int:
        """Tell what `batches` bring, and return the exit code.

        Raises:
            SealsteadError: the one that ended it; what had been done until then has been told.
        """
        try:
            with self._progress:
                for batch in batches:
                    self._progress.clear()
                    for outcome in batch:
                        self._tell(outcome)
                    self._outcomes += batch
        finally:
            self._finish(facts)
        failed = [(outcome.target, outcome.error) for outcome in self._outcomes if outcome.error is not None]
        if failed and not self._go_on:
            target, error = failed[0]
            error.message = _named(target.name, target.path, error.message)
            raise error
        if self._missing:
            return _REFUSED
        codes = {exit_code_of(error) for _, error in failed}
        return codes.pop() if len(codes) == 1 else _REFUSED if codes else 0

    def _tell(self, outcome: Outcome) -> None:
        if self._options.as_json:
            return
        name = output.on_one_line(outcome.target.name)
        if outcome.error is not None and self._go_on:
            output.error(_named(name, outcome.target.path, outcome.error.message), outcome.error.hint)
        elif outcome.error is None and outcome.status != "not-reached":
            output.data(f"{name}: {self._words(outcome)}")

    def _words(self, outcome: Outcome) -> str:
        if outcome.status == "skipped":
            return f"skipped: {outcome.note}"
        if outcome.status == "would-sign":
            return (
                f"would be signed as a {outcome.kind.what if outcome.kind else 'file'}, {outcome.algorithm}"
            )
        parts = [outcome.status]
        if outcome.signature_path is not None:
            parts.append(f"signature in {output.on_one_line(outcome.signature_path.name)}")
        if outcome.stamped_at is not None:
            word = "" if outcome.status == "time-stamped" else "time-stamp "
            parts.append(f"{word}{moment_text(outcome.stamped_at)}")
        return ", ".join(parts)

    def _finish(self, facts: Mapping[str, Any]) -> None:
        counts = Counter(outcome.status for outcome in self._outcomes)
        counts["failed"] += len(self._missing)
        not_reached = counts.pop("not-reached", 0) + self._total - len(self._outcomes)
        if self._options.as_json:
            rows = [_row(outcome) for outcome in self._outcomes]
            rows += [{"file": name, "status": "failed", "error": _NO_FILE} for name in self._missing]
            output.document({**facts, "files": rows, "counts": {**counts, "not-reached": not_reached}})
            return
        total = self._total + len(self._missing)
        if total > 1:
            words = [
                f"{count} {'would be signed' if status == 'would-sign' else status}"
                for status, count in sorted(counts.items())
                if count
            ]
            if not_reached:
                words.append(f"{not_reached} left as they were")
            output.note(f"{total} files: {', '.join(words)}")


def _row(outcome: Outcome) -> dict[str, Any]:
    signature = outcome.signature_path
    row: dict[str, Any] = {
        "file": outcome.target.name,
        "path": str(outcome.target.path),
        "status": outcome.status,
        "kind": outcome.kind.name if outcome.kind else None,
        "algorithm": outcome.algorithm or None,
        "digest": outcome.digest.hex() or None,
        "signature": str(signature) if signature else None,
        "timestamp": serialize_moment(outcome.stamped_at) if outcome.stamped_at else None,
        "thumbprint": outcome.certificate.thumbprint if outcome.certificate else None,
        "request_id": outcome.request_id or None,
    }
    if outcome.note:
        row["note"] = outcome.note
    if outcome.error is not None:
        row["error"] = {
            "code": outcome.error.code,
            "message": outcome.error.message,
            "hint": outcome.error.hint,
        }
    return row


def _named(name: str, path: Path, message: str) -> str:
    return message if message.startswith((name, str(path))) else f"{name}: {message}"
