"""Figures to a table, beside the targets that this project set itself."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.load import CONNECTIONS, Load

OURS = "sealstead"
DEVPI = "devpi"
TUNED = "pypiserver tuned, 1 worker"
DEFAULT = "pypiserver"
UPLOADS = 20
BEGIN, END = "<!-- begin of the measured table -->", "<!-- end of the measured table -->"


@dataclass(kw_only=True)
class Results:
    """`reads`: server → what → rounds. `uploads`: (server, tool) → seconds of the best round."""

    reads: dict[str, dict[str, list[Load]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    uploads: dict[tuple[str, str], float] = field(default_factory=dict)
    resident: dict[str, list[float]] = field(default_factory=dict)

    def add_read(self, server: str, what: str, measured: Load) -> None:
        self.reads[server][what].append(measured)

    def best(self, server: str, what: str) -> Load | None:
        """The round with the most requests: what disturbed the other one was not the server."""
        rounds = self.reads.get(server, {}).get(what, [])
        return max(rounds, key=lambda measured: measured.rps, default=None)


def markdown(results: Results, *, peers: Path, seconds: float, busy: float) -> str:
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, with `make bench`, in {seconds / 60:.1f} minutes.",
        _machine(busy),
        f"Versions: {_versions(peers)}.",
        "",
        *_reads(results),
        "",
        *_cpu(results),
        "",
        *_uploads(results),
        "",
        *_memory(results),
        "",
        *_targets(results),
    ]
    return "\n".join(parts) + "\n"


def measured_on(command: str) -> str:
    """Say when, with what and where a table was made."""
    return f"Measured on {datetime.now(UTC):%Y-%m-%d}, with `{command}`. {_machine(psutil.getloadavg()[0])}"


def _machine(busy: float) -> str:
    memory = psutil.virtual_memory().total / 2**30
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (match := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        model = match[1].strip()
    return (
        f"Machine: {psutil.cpu_count()} cores ({model}), {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}; load and servers share it. "
        f"Load average before the run: {busy:.1f}{'' if busy < 0.5 else ' (NOT a quiet machine: read the processor times, not the rest)'}."
    )


def _versions(peers: Path) -> str:
    names = ["devpi-server", "pypiserver", "gunicorn", "twine", "uv"]
    script = f"from importlib.metadata import version\nfor n in {names!r}: print(n, version(n))"
    done = subprocess.run(
        [str(peers / "bin/python"), "-c", script], capture_output=True, text=True, check=True
    )
    ours = [f"{name} {version(name)}" for name in ("sealstead", "django", "gunicorn")]
    return ", ".join(ours) + "; peers and clients " + ", ".join(done.stdout.split("\n")[:-1])


def _reads(results: Results) -> list[str]:
    lines = [
        f"Requests a second (p50 / p99 in ms), wrk, 1 thread, {CONNECTIONS} connections, the better of the rounds:",
        "",
    ]
    whats = ["project page, HTML", "project page, JSON", "list", "file of 1 MB"]
    lines += ["| | " + " | ".join(whats) + " |", "|---|" + "---:|" * len(whats)]
    for server in results.reads:
        if server.startswith("sealstead,"):
            continue
        cells = [_cell(results.best(server, what)) for what in whats]
        lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return lines


def _cpu(results: Results) -> list[str]:
    whats = ["project page, HTML", "project page, JSON", "list", "file of 1 MB"]
    lines = ["Processor time of the server a request, in microseconds, the better round:", ""]
    lines += ["| | " + " | ".join(whats) + " |", "|---|" + "---:|" * len(whats)]
    for server, reads in results.reads.items():
        cells = [
            f"{min(load.cpu_us for load in reads[what]):,.0f}" if reads.get(what) else "-" for what in whats
        ]
        if any(cell != "-" for cell in cells):
            lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return lines


def _cell(measured: Load | None) -> str:
    if measured is None:
        return "-"
    failed = f", {measured.errors} errors" if measured.errors else ""
    return f"{measured.rps:,.0f} ({measured.p50_ms:.1f} / {measured.p99_ms:.1f}{failed})"


def _uploads(results: Results) -> list[str]:
    lines = [
        f"Upload of {UPLOADS} wheels with one call, ms a file, start of the tool included, the better round:",
        "",
        "| | twine | uv |",
        "|---|---:|---:|",
    ]
    for server in dict.fromkeys(name for name, _ in results.uploads):
        cells = [f"{results.uploads[server, tool] / UPLOADS * 1000:.1f}" for tool in ("twine", "uv")]
        lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return lines


def _memory(results: Results) -> list[str]:
    lines = ["Resident memory after the load, MB a process:", "", "| | MB |", "|---|---|"]
    lines += [
        f"| {server} | {', '.join(f'{size:.0f}' for size in sizes)} |"
        for server, sizes in results.resident.items()
    ]
    return lines


def _targets(results: Results) -> list[str]:
    lines = ["Against the targets:", "", "| target | wanted | measured | |", "|---|---|---|---|"]
    for name, wanted, measured, holds in _judged(results):
        lines.append(f"| {name} | {wanted} | {measured} | {'holds' if holds else '**missed**'} |")
    return lines


def _judged(results: Results) -> list[tuple[str, str, str, bool]]:
    judged: list[tuple[str, str, str, bool]] = []

    def ratio(name: str, what: str, peer: str, wanted: float) -> None:
        ours, theirs = results.best(OURS, what), results.best(peer, what)
        if ours and theirs:
            value = ours.rps / theirs.rps
            judged.append((name, f"≥ {wanted:g} x", f"{value:.1f} x", value >= wanted))

    page = "project page, HTML"
    ratio("project page, against devpi", page, DEVPI, 10)
    ratio("project page, against tuned pypiserver", page, TUNED, 4)
    if measured := results.best(OURS, page):
        judged.append(("project page, p99", "≤ 10 ms", f"{measured.p99_ms:.1f} ms", measured.p99_ms <= 10))
    ratio("1 MB download, against tuned pypiserver", "file of 1 MB", TUNED, 2)
    for tool, factor in (("twine", 1.0), ("uv", 1.3)):
        ours, theirs = results.uploads.get((OURS, tool)), results.uploads.get((DEFAULT, tool))
        if ours and theirs:
            value = ours / theirs
            judged.append(
                (
                    f"upload with {tool}, against pypiserver",
                    f"≤ {factor:g} x",
                    f"{value:.2f} x",
                    value <= factor,
                )
            )
    if twine := results.uploads.get((OURS, "twine")):
        judged.append(
            (
                "upload with twine",
                "≤ 22 ms a file",
                f"{twine / UPLOADS * 1000:.1f} ms",
                twine / UPLOADS <= 0.022,
            )
        )
    for server in (name for name in results.resident if name.startswith("sealstead")):
        largest = max(results.resident[server])
        judged.append((f"memory of a worker, {server}", "≤ 120 MB", f"{largest:.0f} MB", largest <= 120))
    few, many = (
        results.best(server, "flat: project page") for server in (OURS, "sealstead, 20,000 projects")
    )
    if few and many:
        value = many.rps / few.rps
        judged.append(
            ("project page, 20,000 projects against 51", "about 1 x", f"{value:.2f} x", value >= 0.8)
        )
    return judged


def write(page: Path, table: str, *, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the two marks of `page`."""
    text = page.read_text()
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        sys.exit(f"error: {page} lacks the marks {begin} and {end}")
    page.write_text(f"{head}{begin}\n{table}{end}{tail}")
