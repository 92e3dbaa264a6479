"""The stage of the demonstration: a fresh directory, a server, and programs whose output is shown.

What is shown is what runs: short commands relative to the fresh directory, then their output with
tokens cut short. Every command states what must come of it; anything else ends the demonstration.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from sealstead.cli import output
from sealstead.errors import VerificationError

TOKEN = re.compile(r"(pypi-[A-Za-z0-9_-]{8}|seal_[A-Za-z0-9]{4})[A-Za-z0-9_-]+")
START_SECONDS = 120.0
STOP_SECONDS = 60.0
COMMAND_SECONDS = 300.0

_FOREIGN_SETTINGS = ("SEALSTEAD_", "TWINE_", "PIP_", "UV_", "PYTHON", "DJANGO_", "FORCE_", "TTY_")
"""Settings of the caller that would change what is demonstrated, or how it looks."""


class DemoFailedError(VerificationError):
    """A step did not turn out as it must: the product, or its installation, is broken."""

    code = "demo-failed"


class Stage:
    """Runs the programs of the demonstration. Use as a context manager: leaving it stops the server."""

    def __init__(self, *, keep: bool) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sealstead-demo-"))
        self.port = _free_port()
        self._keep = keep
        self._server: subprocess.Popen[bytes] | None = None
        self._steps = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        if self._keep:
            output.data(f"\nkept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def step(self, title: str) -> None:
        """Announce what comes next."""
        self._steps += 1
        output.data(f"\n{self._steps}. {title}")

    def write(self, path: str, text: str) -> None:
        """Put a file of the demonstration's project in place."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def serve(self) -> None:
        """Start the server and wait until its health page says that it is ready."""
        command = f"sealstead serve --data-dir data --port {self.port} --workers 2"
        _show(f"$ {command} &")
        began = time.monotonic()
        with (self.directory / "server.log").open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603 - our own fixed command, no shell
                self._words(command),
                cwd=self.directory,
                env=self._environment({}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while not self._ready():
            if self._server.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise DemoFailedError(
                    "the server did not start: " + (self.directory / "server.log").read_text().strip()
                )
            time.sleep(0.05)
        _show(f"ready at {self.url} after {time.monotonic() - began:.1f} s")

    def run(
        self,
        command: str,
        *,
        stdin: str = "",
        settings: Mapping[str, str] | None = None,
        fails: bool = False,
        says: Sequence[str] = (),
        show: Sequence[str] | None = None,
    ) -> str:
        """Run `command`, show it and what it writes, and return its stdout.

        `says` must all appear in what it writes; `fails` means that it must exit with an error. `show`
        keeps only the lines that hold one of these texts.

        Raises:
            DemoFailedError: the program did something else.
        """
        words = [f"{key}={value}" for key, value in (settings or {}).items()]
        _show("$ " + " ".join([*words, command]))
        done = self._finish(command, stdin=stdin, settings=settings or {})
        written = done.stdout + done.stderr
        for line in written.splitlines():
            if line.strip() and (show is None or any(text in line for text in show)):
                # The directory is the home of everything that runs here.
                _show(line.rstrip().replace(str(self.directory), "~"))
        fact = ""
        if (done.returncode != 0) != fails:
            fact = f"ended with {done.returncode}"
        for text in says:
            if text not in " ".join(written.split()):
                fact = f"did not say {text!r}"
        if fact:
            _show(written)
            raise DemoFailedError(f"{command.split(maxsplit=1)[0]} {fact}, which is not as it must be")
        return done.stdout

    def _finish(
        self, command: str, *, stdin: str, settings: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - our own fixed commands, no shell
                self._words(command),
                cwd=self.directory,
                env=self._environment(settings),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=COMMAND_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise DemoFailedError(f"{command.split(maxsplit=1)[0]}: {type(exc).__name__}") from exc

    def _words(self, command: str) -> list[str]:
        """Resolve the first word: programs run from this program's own environment."""
        program, *arguments = shlex.split(command)
        if "/" in program:
            return [str(self.directory / program), *arguments]
        if program == "SignotaurTool":
            # `sealstead signing` under its other name.
            return [sys.executable, "-c", "from sealstead.cli.signotaur_tool import main; main()", *arguments]
        own = [sys.executable] if program == "python" else [sys.executable, "-m", program]
        return [*own, *arguments]

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN_SETTINGS)}
        return {
            **kept,
            # Nobody's configuration files, keyring or proxies take part.
            "HOME": str(self.directory),
            "XDG_CONFIG_HOME": str(self.directory / ".config"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PIP_NO_CACHE_DIR": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONUTF8": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "NO_COLOR": "1",
            "TERM": "dumb",
            # Wide, so that no line breaks; without a height rich ignores the width of a dumb terminal.
            "COLUMNS": "400",
            "LINES": "50",
            **settings,
        }

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5):  # noqa: S310 - our own address
                return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _show(text: str) -> None:
    for line in text.splitlines():
        output.data("   " + TOKEN.sub(r"\1…", line))
