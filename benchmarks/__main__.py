"""Measure this server beside its peers, in one run on one machine: `python -m benchmarks --peers ENVIRONMENT`.

All servers run at once and answer in turns, so that whatever else the machine does meets all of them. Figures
of other runs and machines do not compare; ratios of one run do. Nothing leaves the loopback interface.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks import distributions, load, report, servers

JSON = "application/vnd.pypi.simple.v1+json"
PROJECT = "measured-07"
BIG = "measured-big"
MANY = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peers", type=Path, required=True, help="environment made from requirements/bench.txt"
    )
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement with wrk")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only-ours", action="store_true", help="leave the peers out")
    parser.add_argument("--write", type=Path, help="put the table into this page")
    options = parser.parse_args()
    for program in ("wrk",):
        if shutil.which(program) is None:
            sys.exit(f"error: {program} is not installed")
    # A run that is stopped ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    busy = psutil.getloadavg()[0]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sealstead-bench-") as name, contextlib.ExitStack() as stack:
        results = measure(Path(name), options, stack)
    table = report.markdown(results, peers=options.peers, seconds=time.monotonic() - started, busy=busy)
    print(table)
    if options.write is not None:
        report.write(options.write, table)
        say(f"written to {options.write}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(work: Path, options: argparse.Namespace, stack: contextlib.ExitStack) -> report.Results:
    peers: Path = options.peers.resolve()
    packages = work / "packages"
    wheels = distributions.make_index(packages)
    results = report.Results()

    def running(starter: Callable[[], servers.Server]) -> servers.Server:
        server = starter()
        stack.callback(server.stop)
        say(f"started {server.name}")
        return server

    ours = running(lambda: servers.start_ours(work / "ours"))
    everyone = [ours]
    if not options.only_ours:
        pypiserver = running(lambda: servers.start_pypiserver(work / "pypiserver", peers, packages))
        devpi = running(lambda: servers.start_devpi(work / "devpi", peers))
        tuned = [
            running(
                lambda workers=workers: servers.start_tuned_pypiserver(
                    work / f"tuned{workers}", peers, packages, workers=workers
                )
            )
            for workers in (1, 2)
        ]
        everyone += [*tuned, devpi, pypiserver]
    # Uploads first, while nothing is cached anywhere; then the index that is read.
    uploads(work, results, everyone, peers, options.rounds)
    for server in everyone:
        if server.upload and server.name != "pypiserver":
            say(f"filling {server.name}")
            load.uv_upload(server, peers, wheels)
    reads(results, everyone, options)
    for server in everyone:
        results.resident[server.name] = server.resident_mb()
    flatness(work, results, ours, options, stack)
    return results


def uploads(
    work: Path, results: report.Results, everyone: list[servers.Server], peers: Path, rounds: int
) -> None:
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in range(rounds + 1):
        for tool, upload in (("twine", load.twine_upload), ("uv", load.uv_upload)):
            files = distributions.make_uploads(
                work / f"{tool}-{turn}", f"upload-{tool}-{turn}", report.UPLOADS
            )
            for server in (server for server in everyone if server.upload):
                say(f"upload with {tool} to {server.name}")
                seconds = upload(server, peers, files)
                if turn:  # the first turn warms disks and byte code
                    times[server.name, tool].append(seconds)
    results.uploads = {key: min(values) for key, values in times.items()}


def reads(results: report.Results, everyone: list[servers.Server], options: argparse.Namespace) -> None:
    targets: list[tuple[str, Callable[[servers.Server], str], str | None]] = [
        ("project page, HTML", lambda server: server.page(PROJECT), None),
        ("project page, JSON", lambda server: server.page(PROJECT), JSON),
        ("list", lambda server: server.simple, None),
        ("file of 1 MB", lambda server: server.file_address(BIG), None),
    ]
    for what, address, accept in targets:
        for turn in range(options.rounds):
            for server in everyone:
                if accept and server.name.startswith("pypiserver"):
                    continue  # it knows HTML alone
                url = address(server)
                measured = load.measure(server, url, seconds=options.seconds, accept=accept)
                say(
                    f"{what}, round {turn + 1}, {server.name}: {measured.rps:.0f}/s, p99 {measured.p99_ms:.1f} ms"
                )
                results.add_read(server.name, what, measured)


def flatness(
    work: Path,
    results: report.Results,
    ours: servers.Server,
    options: argparse.Namespace,
    stack: contextlib.ExitStack,
) -> None:
    many = servers.start_ours(work / "many", "sealstead, 20,000 projects")
    stack.callback(many.stop)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.fill",
            str(work / "many/data"),
            str(MANY),
            str(distributions.WHEELS_EACH),
        ],
        check=True,
    )
    for turn in range(options.rounds):
        for server, project in ((ours, PROJECT), (many, "filled-12345")):
            for what, url in (("flat: project page", server.page(project)), ("flat: list", server.simple)):
                measured = load.measure(server, url, seconds=options.seconds)
                say(
                    f"{what}, round {turn + 1}, {server.name}: {measured.rps:.0f}/s, p99 {measured.p99_ms:.1f} ms"
                )
                results.add_read(server.name, what, measured)
    results.resident[many.name] = many.resident_mb()


if __name__ == "__main__":
    main()
