"""The servers under measurement: each in its own directory, on a free port of the loopback interface."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import psutil

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(kw_only=True)
class Server:
    """A running server. `simple` ends with a slash; `user` and `password` are what an upload needs."""

    name: str
    directory: Path
    process: subprocess.Popen[bytes]
    simple: str
    upload: str = ""
    user: str = "__token__"
    password: str = "none"

    def stop(self) -> None:
        """End the process group that `start` made, and nothing else."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(STOP_SECONDS)

    def resident_mb(self) -> list[float]:
        """Resident memory of every process of the server, the largest first."""
        root = psutil.Process(self.process.pid)
        sizes = [process.memory_info().rss / 2**20 for process in [root, *root.children(recursive=True)]]
        return sorted(sizes, reverse=True)

    def cpu_seconds(self) -> float:
        """Processor time spent so far, by every process of the server."""
        root = psutil.Process(self.process.pid)
        times = [process.cpu_times() for process in [root, *root.children(recursive=True)]]
        return sum(spent.user + spent.system for spent in times)

    def page(self, project: str) -> str:
        return f"{self.simple}{project}/"

    def file_address(self, project: str) -> str:
        """The address of the first file on a project's page."""
        with urllib.request.urlopen(self.page(project), timeout=30) as response:
            links = re.findall(r'href="([^"#]+\.whl)', response.read().decode())
            return urljoin(response.url, links[0])


@contextlib.contextmanager
def stopped_on_failure(server: Server) -> Iterator[None]:
    """Until the caller has it, nobody else would end the server."""
    try:
        yield
    except BaseException:
        server.stop()
        raise


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start(
    name: str,
    directory: Path,
    command: list[str],
    *,
    ready: str,
    simple: str,
    environment: dict[str, str] | None = None,
) -> Server:
    """Start a process and return once `ready` answers."""
    directory.mkdir(exist_ok=True)
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=clean_environment(directory, environment),
            start_new_session=True,
        )
    server = Server(name=name, directory=directory, process=process, simple=simple)
    deadline = time.monotonic() + START_SECONDS
    while not _answers(ready):
        if process.poll() is not None or time.monotonic() > deadline:
            text = (directory / "server.log").read_text()[-2000:]
            server.stop()
            raise RuntimeError(f"{name} did not start:\n{text}")
        time.sleep(0.1)
    return server


def clean_environment(home: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's settings reaches a server or a client."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"} | (extra or {})


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code < 500
    except OSError:
        return False
    return True


def start_ours(directory: Path, name: str = "sealstead", *args: str) -> Server:
    port = free_port()
    data = directory / "data"
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "sealstead",
        "serve",
        "--data-dir",
        str(data),
        "--port",
        str(port),
        *args,
    ]
    server = start(name, directory, command, ready=f"{url}/health/ready", simple=f"{url}/simple/")
    with stopped_on_failure(server):
        server.upload = f"{url}/legacy/"
        admin(
            server,
            "create-user",
            "bench",
            "--email",
            "bench@example.org",
            "--password-stdin",
            stdin="measured-9471\n",
        )
        server.password = admin(
            server, "create-token", "--user", "bench", "--name", "bench", "--all-projects"
        ).strip()
    return server


def admin(server: Server, *args: str, stdin: str = "") -> str:
    """Return what `sealstead admin` prints for this server's data."""
    done = subprocess.run(
        [sys.executable, "-m", "sealstead", "admin", *args, "--data-dir", str(server.directory / "data")],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(server.directory),
    )
    if done.returncode != 0:
        raise RuntimeError(f"admin {args[0]}: {done.stderr}")
    return done.stdout


def start_pypiserver(directory: Path, peers: Path, packages: Path) -> Server:
    """As installed: wsgiref, the directory read at every request."""
    port = free_port()
    own = directory / "packages"
    shutil.copytree(packages, own)
    url = f"http://127.0.0.1:{port}"
    command = [
        str(peers / "bin/pypi-server"),
        "run",
        "-p",
        str(port),
        "-i",
        "127.0.0.1",
        "-P",
        ".",
        "-a",
        ".",
    ]
    command += ["--disable-fallback", "--server", "wsgiref", "--backend", "simple-dir", str(own)]
    server = start("pypiserver", directory, command, ready=f"{url}/simple/", simple=f"{url}/simple/")
    server.upload = f"{url}/"
    return server


def start_tuned_pypiserver(directory: Path, peers: Path, packages: Path, *, workers: int) -> Server:
    """As its documentation advises for load: gunicorn, and the directory cached and watched."""
    port = free_port()
    own = directory / "packages"
    shutil.copytree(packages, own)
    url = f"http://127.0.0.1:{port}"
    application = (
        f'pypiserver:app(root="{own}", backend_arg="cached-dir", disable_fallback=True, '
        'authenticate=[], password_file=".")'
    )
    command = [
        str(peers / "bin/gunicorn"),
        "--no-control-socket",
        "-w",
        str(workers),
        "-b",
        f"127.0.0.1:{port}",
    ]
    return start(
        f"pypiserver tuned, {workers} worker{'s' if workers > 1 else ''}",
        directory,
        [*command, application],
        ready=f"{url}/simple/",
        simple=f"{url}/simple/",
    )


def start_devpi(directory: Path, peers: Path) -> Server:
    """As installed, SQLite, with devpi-web; one user with one index that has no base."""
    port = free_port()
    data = directory / "data"
    directory.mkdir(exist_ok=True)
    subprocess.run(
        [str(peers / "bin/devpi-init"), "--serverdir", str(data), "--no-root-pypi"],
        env=clean_environment(directory),
        check=True,
        capture_output=True,
    )
    url = f"http://127.0.0.1:{port}"
    command = [
        str(peers / "bin/devpi-server"),
        "--serverdir",
        str(data),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = start("devpi", directory, command, ready=f"{url}/+api", simple=f"{url}/bench/dev/+simple/")
    server.upload, server.user, server.password = f"{url}/bench/dev/", "bench", "measured"
    with stopped_on_failure(server):
        _put(f"{url}/bench", {"password": "measured"})
        login = _put(f"{url}/+login", {"user": "bench", "password": "measured"}, method="POST")
        token = base64.b64encode(f"bench:{login['result']['password']}".encode()).decode()
        _put(f"{url}/bench/dev", {"bases": [], "volatile": True}, headers={"X-Devpi-Auth": token})
    return server


def _put(url: str, document: object, *, method: str = "PUT", headers: dict[str, str] | None = None) -> dict:  # type: ignore[type-arg]
    request = urllib.request.Request(
        url,
        json.dumps(document).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"} | (headers or {}),
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)  # type: ignore[no-any-return]


Starter = Callable[[], Server]
