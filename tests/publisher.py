"""A publisher at a command line of their own: home, directory, keyring and terminal are all temporary.

Commands run in this process, through the same `run` that the console scripts use.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from tests.fakes.keyring_backend import BACKEND

PROFILE = """\
# kept
[identity]
pypi_username = "{username}"

[verification]
public_key = "{public_key}"  # kept too
"""


@dataclass(frozen=True, kw_only=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The stable code of the error, of a command that ran with `--json`."""
        return str(json.loads(self.err.strip().splitlines()[-1])["error"]["code"])


class Terminal(io.StringIO):
    """Answers, typed at a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(kw_only=True)
class Publisher:
    root: Path
    environment: dict[str, str] = field(default_factory=dict)

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
    def keys(self) -> Path:
        return self.home / ".pypi_profile"

    @property
    def profile(self) -> Path:
        return self.here / "pypi_profile.toml"

    @property
    def entries(self) -> Path:
        """The file in which the fake keyring keeps its entries."""
        return self.root / "entries.json"

    def write_profile(self, *, username: str = "", public_key: str = "") -> None:
        self.profile.write_text(PROFILE.format(username=username, public_key=public_key))

    def use_keyring(self, mode: str = "ok") -> None:
        self.environment |= {
            "PYTHON_KEYRING_BACKEND": BACKEND,
            "SEALSTEAD_TEST_KEYRING": str(self.entries),
            "SEALSTEAD_TEST_KEYRING_MODE": mode,
        }

    def run(self, *arguments: object, stdin: str = "", answers: str | None = None) -> Done:
        """Run `pypi-profile`; with `answers`, stdin and stdout are a terminal at which they are typed."""
        from sealstead.cli.main import run
        from sealstead.cli.profile.main import profile

        out, err = (io.StringIO(), io.StringIO()) if answers is None else (Terminal(), Terminal())
        typed = io.StringIO(stdin) if answers is None else Terminal(answers)
        with (
            self._environment(),
            contextlib.chdir(self.here),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "stdin", typed),
            # It would read from the terminal of whoever runs the tests.
            mock.patch("click.termui.hidden_prompt_func", _read_hidden),
        ):
            code = run(profile, "pypi-profile", list(map(str, arguments)))
        return Done(code=code, out=out.getvalue(), err=err.getvalue())

    def good(self, *arguments: object, **more: Any) -> Done:
        done = self.run(*arguments, **more)
        assert done.code == 0, done.err
        return done

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYPI_PROFILE_", "SEALSTEAD_", "PYTHON_KEYRING_"))
        }
        nowhere = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "NO_COLOR": "1"}
        own = kept | nowhere | {"HOME": str(self.home)} | self.environment
        import keyring.core

        from sealstead.formats.minisign_key import TEST_ONLY, serialize_secret_key

        with (
            mock.patch.dict(os.environ, own, clear=True),
            # A passphrase of a test need not be protected for a third of a second.
            mock.patch.dict(serialize_secret_key.__kwdefaults__, limits=TEST_ONLY),
            # keyring remembers the back end that it chose once.
            mock.patch.object(keyring.core, "_keyring_backend", None),
        ):
            yield


def _read_hidden(prompt: str) -> str:
    return sys.stdin.readline().rstrip("\n")
