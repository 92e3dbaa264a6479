"""The stage of the demonstration: a fresh directory, a server, and programs whose output is shown.

What is shown is what runs: short commands relative to the fresh directory, then their output with
tokens cut short. Every command states what must come of it; anything else ends the demonstration.
"""

from __future__ import annotations

import os
import re
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

import click

from sealstead.errors import VerificationError

TOKEN = re.compile(r"(pypi-[A-Za-z0-9_-]{8})[A-Za-z0-9_-]+")
START_SECONDS = 30.0
STOP_SECONDS = 20.0
COMMAND_SECONDS = 120.0

_FOREIGN_SETTINGS = ("SEALSTEAD_", "TWINE_", "PIP_", "UV_", "PYTHON", "DJANGO_")
"""Settings of the caller that would change what is demonstrated."""


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
            click.echo(f"\nkept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def step(self, title: str) -> None:
        """Announce what comes next."""
        self._steps += 1
        click.echo(f"\n{self._steps}. {title}")

    def write(self, path: str, text: str) -> None:
        """Put a file of the demonstration's project in place."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def serve(self) -> None:
        """Start the server and wait until its health page says that it is ready."""
        arguments = ["serve", "--data-dir", "data", "--port", str(self.port), "--workers", "2"]
        _show_command("sealstead", arguments)
        began = time.monotonic()
        with (self.directory / "server.log").open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603 - our own program, a fixed list of arguments
                [sys.executable, "-m", "sealstead", *arguments],
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
        program: str,
        *arguments: str,
        stdin: str = "",
        settings: Mapping[str, str] | None = None,
        fails: bool = False,
        says: Sequence[str] = (),
        show: Sequence[str] | None = None,
    ) -> str:
        """Run `program`, show it and its output, and return what it wrote to stdout.

        `says` must all appear in the output; `fails` means that it must exit with an error. `show`
        keeps only lines that hold one of these texts.

        Raises:
            DemoFailedError: the program did something else.
        """
        _show_command(program, arguments, settings)
        done = self._finish(program, arguments, stdin=stdin, settings=settings or {})
        output = done.stdout + done.stderr
        for line in output.splitlines():
            if line.strip() and (show is None or any(text in line for text in show)):
                _show(line.rstrip())
        if (done.returncode != 0) != fails:
            _show(output)
            raise DemoFailedError(f"{program} ended with {done.returncode}, which is not as expected")
        for text in says:
            if text not in " ".join(output.split()):
                _show(output)
                raise DemoFailedError(f"{program} did not say {text!r}")
        return done.stdout

    def ask(self, program: str, *arguments: str) -> str:
        """Run `program` without showing it and return its stdout: for facts a person would copy by hand."""
        done = self._finish(program, arguments, stdin="", settings={})
        if done.returncode != 0:
            raise DemoFailedError(f"{program} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def _finish(
        self, program: str, arguments: Sequence[str], *, stdin: str, settings: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - fixed lists of arguments
                [*self._command(program), *arguments],
                cwd=self.directory,
                env=self._environment(settings),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=COMMAND_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise DemoFailedError(f"{program}: {exc}") from exc

    def _command(self, program: str) -> list[str]:
        if (self.directory / program).exists():
            return [str(self.directory / program)]
        modules = {"python": [], "python -m build": ["-m", "build"], "python -m venv": ["-m", "venv"]}
        return [sys.executable, *modules.get(program, ["-m", program])]

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
            "COLUMNS": "120",
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


def _show_command(program: str, arguments: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
    words = [f"{key}={value}" for key, value in (settings or {}).items()] + [program, *arguments]
    _show("$ " + " ".join(words))


def _show(text: str) -> None:
    for line in text.splitlines():
        click.echo("   " + TOKEN.sub(r"\1…", line))
