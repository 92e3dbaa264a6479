"""A build job at a command line of its own: home, directory and environment are temporary, stdin is what is piped in.

Commands run in this process, through the same `run` as the script `SignotaurTool`.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from tests.publisher import Done


@dataclass(kw_only=True)
class Pipeline:
    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    pause: Callable[[float], None] = lambda _: None
    """Called where a command would sleep: between attempts, and while it waits for a lock."""

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.here.mkdir()

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def here(self) -> Path:
        """The current directory."""
        return self.root / "here"

    @property
    def key_file(self) -> Path:
        return self.home / ".signotaur" / "api_key.txt"

    @property
    def config(self) -> Path:
        return self.home / ".signotaur" / "config.json"

    def store(self, text: str) -> Path:
        """Put a key where the documentation puts it."""
        self.key_file.parent.mkdir(mode=0o700, exist_ok=True)
        self.key_file.write_text(f"{text}\n")
        self.key_file.chmod(0o600)
        return self.key_file

    def run(self, *arguments: object, stdin: bytes | str = b"", stdout_closed: bool = False) -> Done:
        """`stdout_closed`: as after `>&-`, where Python has no such stream at all."""
        from sealstead.cli import output
        from sealstead.cli.main import run
        from sealstead.cli.signing.main import signing

        out, err = io.StringIO(), io.StringIO()
        piped = io.TextIOWrapper(io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin))
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIGNOTAUR_", "SEALSTEAD_", "GIT_"))
            and not name.lower().endswith("_proxy")
        }
        own = kept | {"NO_COLOR": "1", "HOME": str(self.home)} | self.environment
        with (
            mock.patch.dict(os.environ, own, clear=True),
            contextlib.chdir(self.here),
            contextlib.redirect_stdout(None if stdout_closed else out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "stdin", piped),
            mock.patch.object(output, "_theme", None),
            # Pauses between attempts: nobody waits for them here.
            mock.patch.object(time, "sleep", self.pause),
        ):
            code = run(signing, "SignotaurTool", list(map(str, arguments)))
        return Done(code=code, out=out.getvalue(), err=err.getvalue())

    def good(self, *arguments: object, **more: Any) -> Done:
        done = self.run(*arguments, **more)
        assert done.code == 0, done.err
        return done
