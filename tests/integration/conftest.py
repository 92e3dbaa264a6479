"""A real server process, two workers, on a fresh data directory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Server:
    data_dir: Path
    url: str
    process: subprocess.Popen[str]

    def admin(self, *args: str, stdin: str = "") -> str:
        """Run `sealstead admin …` against this server's data directory and return its stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "sealstead", "admin", *args, "--data-dir", str(self.data_dir)],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("server") / "data"
    port = free_port()
    log = (data_dir.parent / "server.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sealstead",
            "serve",
            "--data-dir",
            str(data_dir),
            "--port",
            str(port),
            "--workers",
            "2",
        ],
        stdout=log,
        stderr=log,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(url + "/health/ready", timeout=2)
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            if process.poll() is not None:
                raise RuntimeError((data_dir.parent / "server.log").read_text()) from None
            time.sleep(0.05)
    yield Server(data_dir=data_dir, url=url, process=process)
    process.terminate()
    process.wait(20)
