"""What is measured: requests with wrk, uploads with twine and uv."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.servers import Server, clean_environment

CONNECTIONS = 8
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, kw_only=True)
class Load:
    """Requests a second; latencies in milliseconds; errors are answers other than 2xx and broken connections."""

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    requests: int
    cpu_us: float = 0.0
    """Processor time of the server a request. Unlike the rest it hardly depends on what else the machine does."""


def wrk(
    url: str,
    *,
    seconds: int,
    accept: str | None = None,
    connections: int = CONNECTIONS,
    script: tuple[str, ...] = (),
) -> Load:
    """One thread, as fast as the server answers. `script` is a file in Lua that makes the requests, and its arguments."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    command += ["-H", f"Accept: {accept}"] if accept else []
    command += ["-s", script[0], url, "--", *script[1:]] if script else [url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Load(
        rps=float(_find(r"Requests/sec:\s+([0-9.]+)", text)),
        p50_ms=_milliseconds(_find(r"(?m)^\s+50%\s+(\S+)", text)),
        requests=int(_find(r"(\d+) requests in", text)),
        p99_ms=_milliseconds(_find(r"(?m)^\s+99%\s+(\S+)", text)),
        errors=sum(
            int(count)
            for count in re.findall(r"(?:Non-2xx or 3xx responses:|connect|read|write|timeout) (\d+)", text)
        ),
    )


def measure(server: Server, url: str, *, seconds: int, accept: str | None = None) -> Load:
    """`wrk` on a warm server, with the processor time the server spent."""
    wrk(url, seconds=1, accept=accept)
    before = server.cpu_seconds()
    measured = wrk(url, seconds=seconds, accept=accept)
    spent = server.cpu_seconds() - before
    return replace(measured, cpu_us=spent / max(measured.requests, 1) * 1e6)


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk said:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(value) * _UNITS[unit]


def twine_upload(server: Server, peers: Path, files: list[Path]) -> float:
    """Upload with one call; return the seconds it took, start of twine included."""
    command = [str(peers / "bin/twine"), "upload", "--non-interactive", "--disable-progress-bar"]
    command += ["--repository-url", server.upload, "--config-file", "/dev/null"]
    return _timed(
        server,
        [*command, *map(str, files)],
        {"TWINE_USERNAME": server.user, "TWINE_PASSWORD": server.password},
    )


def uv_upload(server: Server, peers: Path, files: list[Path]) -> float:
    """The same with uv."""
    command = [
        str(peers / "bin/uv"),
        "publish",
        "--no-config",
        "--no-progress",
        "--trusted-publishing",
        "never",
    ]
    command += ["--keyring-provider", "disabled", "--no-attestations", "--publish-url", server.upload]
    return _timed(
        server,
        [*command, *map(str, files)],
        {"UV_PUBLISH_USERNAME": server.user, "UV_PUBLISH_PASSWORD": server.password, "UV_NO_CACHE": "1"},
    )


def _timed(server: Server, command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(server.directory, environment),
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(
            f"{Path(command[0]).name} to {server.name}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
    return seconds
