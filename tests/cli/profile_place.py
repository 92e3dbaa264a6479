"""A publisher whose profile is written by the test, and what was told and written afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.publisher import Publisher


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error of a command that ran with `--json`."""
        return json.loads(self.err.splitlines()[-1])["error"]


class ProfilePlace:
    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.home, self.work, self.keys = publisher.home, publisher.here, publisher.keys
        self.profile = publisher.profile

    def write(self, text: str, name: str = "pypi_profile.toml") -> Path:
        path = self.work / name
        path.write_text(text, encoding="utf-8")
        return path

    def run(
        self, *arguments: object, stdin: str = "", answers: str | None = None, code: int | None = 0
    ) -> Told:
        """Run `pypi-profile` with these arguments; `code`: how it must end, None for any way."""
        done = self.publisher.run(*arguments, stdin=stdin, answers=answers)
        told = Told(done.code, done.out, done.err)
        assert "Traceback" not in told.err
        assert code in (None, told.code), told
        return told

    def files(self) -> dict[str, bytes]:
        """Everything below the directory and the home."""
        return {
            str(path): path.read_bytes()
            for top in (self.work, self.home)
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }
