"""A real `sealstead serve` process and the commands that look after it."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests.environment import clean_environment
from tests.forked import run_sealstead
from tests.postgres import free_port

START_SECONDS = 120.0
STOP_SECONDS = 90.0
"""More than the server itself gives its workers (`supervisor.GRACE_SECONDS`)."""


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
        """End the server and its workers at once, as a power cut would; return when none of them is left.

        The last one to go holds the lock of the data directory, and the port.
        """
        workers = self.workers()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while not all(has_ended(worker) for worker in workers):
            assert time.monotonic() < deadline, "a worker outlives SIGKILL"
            time.sleep(0.01)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def log_lines(self) -> list[dict[str, Any]]:
        """What it logged so far. A line is written after the answer it is about, so one may wait for it."""
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def wait_for_answers(self, *request_ids: str) -> list[dict[str, Any]]:
        """Return what it logged, once the lines about these requests are there."""
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            lines = self.log_lines()
            if {*request_ids} <= {line.get("request_id") for line in lines if line.get("event") == "request"}:
                return lines
            assert time.monotonic() < deadline, "an answer was not logged"
            time.sleep(0.02)


def has_ended(process: psutil.Process) -> bool:
    """Tell whether it runs no longer; who adopts orphans may be slow to collect them."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


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
    tls = any(arg.startswith("--tls") for arg in args)
    try:
        _wait_until_ready(server, workers, tls=tls)
    except BaseException:
        if process.poll() is None:
            server.kill()
        raise
    return server


def _wait_until_ready(server: Server, workers: int, *, tls: bool) -> None:
    """Return once the health page says so and every worker takes connections."""
    deadline = time.monotonic() + START_SECONDS
    fact = _why_not_ready(server, workers, tls=tls)
    while fact:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}: {server.log.read_text()}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server is not ready ({fact}): {server.log.read_text()}")
        time.sleep(0.05)
        fact = _why_not_ready(server, workers, tls=tls)


def _why_not_ready(server: Server, workers: int, *, tls: bool) -> str:
    context = ssl._create_unverified_context() if tls else None  # noqa: S323 - only to wait
    try:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}/health/ready"
        with urllib.request.urlopen(url, timeout=5, context=context):
            pass
    except urllib.error.HTTPError as exc:
        exc.close()
        return f"the health page answers {exc.code}"
    except OSError as exc:
        return str(exc)
    taking = sum(map(_takes_connections, server.workers()))
    return "" if taking >= workers else f"{taking} of {workers} workers take connections"


def _takes_connections(worker: psutil.Process) -> bool:
    """Tell whether the worker waits at a socket; one that is only there still reads the program."""
    if sys.platform != "linux":
        return True  # nobody tells it there
    place = Path(f"/proc/{worker.pid}")
    try:
        for facts in (place / "fdinfo").iterdir():
            for watched in re.findall(r"^tfd: +(\d+)", facts.read_text(), re.MULTILINE):
                if str((place / "fd" / watched).readlink()).startswith("socket:"):
                    return True
    except FileNotFoundError:  # closed, or ended, between two looks
        return False
    return False
