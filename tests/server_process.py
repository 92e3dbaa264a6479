"""A real `sealstead serve` process and the commands that look after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.environment import clean_environment
from tests.forked import run_sealstead
from tests.postgres import free_port

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(kw_only=True)
class Server:
    """A server on its own data directory. `environment` holds its settings (`SEALSTEAD_*`)."""

    data_dir: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Everything the process wrote to stdout and stderr."""
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def admin(self, *args: str, stdin: str = "") -> str:
        """Run `sealstead admin …` on this server's data directory and return its stdout."""
        command = ["admin", *args, "--data-dir", str(self.data_dir)]
        done = run_sealstead(command, extra=self.environment, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(args)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def stop(self) -> int:
        """Ask the server to finish (SIGTERM) and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End the server and its workers at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)


def start_server(
    data_dir: Path,
    *args: str,
    workers: int = 2,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Server:
    """Start a server on `data_dir` and return once it is ready. The caller stops it.

    It leads its own process group, so that `kill` reaches every worker.
    """
    port = port or free_port()
    log = data_dir.with_name(data_dir.name + ".log")
    command = [sys.executable, "-m", "sealstead", "serve", "--data-dir", str(data_dir)]
    command += ["--port", str(port), "--workers", str(workers), *args]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment(environment),
            start_new_session=True,
        )
    server = Server(data_dir=data_dir, port=port, environment=dict(environment or {}), process=process)
    scheme = "https" if any(arg.startswith("--tls") for arg in args) else "http"
    try:
        if scheme == "http":
            _wait_until_ready(server, workers)
    except BaseException:
        if process.poll() is None:
            server.kill()
        raise
    return server


def _wait_until_ready(server: Server, workers: int) -> None:
    """Return once the health page says so and every worker is there."""
    deadline = time.monotonic() + START_SECONDS
    fact = _why_not_ready(server, workers)
    while fact:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}: {server.log.read_text()}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server is not ready ({fact}): {server.log.read_text()}")
        time.sleep(0.05)
        fact = _why_not_ready(server, workers)


def _why_not_ready(server: Server, workers: int) -> str:
    try:
        with urllib.request.urlopen(server.url + "/health/ready", timeout=5):
            pass
    except urllib.error.HTTPError as exc:
        exc.close()
        return f"the health page answers {exc.code}"
    except OSError as exc:
        return str(exc)
    running = len(psutil.Process(server.process.pid).children())
    return "" if running >= workers else f"{running} of {workers} workers run"
