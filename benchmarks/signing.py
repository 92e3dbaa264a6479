"""Measure `SignotaurTool sign` beside osslsigncode: whole processes, in turns, in one run, with the same key.

Ours asks a server on the loopback interface, which signs with that key; osslsigncode has it in a file. Files are real
launchers, made longer. Before each turn a file is brought to where it was, outside the measured time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks import report, servers
from benchmarks.identity import Measured, Program, compare

OURS, PEER = "sealstead", "osslsigncode"
PAGE = Path("docs/benchmarks.md")
BEGIN, END = "<!-- begin of the signing table -->", "<!-- end of the signing table -->"
LAUNCHERS = 200
PER_FILE = 100
LIMIT_MB = 60
_CHECKSUM, _DIRECTORY_OF_CERTIFICATES = 64, 4


class Place(NamedTuple):
    """What both programs need."""

    work: Path
    key: Path
    certificate: Path
    url: str
    api_key: Path


def launcher() -> bytes:
    files = metadata.files("pip") or []
    found = next((file for file in files if file.name == "t64.exe"), None)
    if found is None:
        sys.exit("error: the installed pip has no launcher t64.exe")
    return Path(str(found.locate())).read_bytes()


class LongProgram:
    """A launcher made longer, which can be brought back to unsigned without being written anew.

    Without a checksum, as linkers leave it unless told otherwise: then we write none, and osslsigncode always does.
    """

    def __init__(self, path: Path, megabytes: int) -> None:
        head = launcher()
        self.path = path
        start = struct.unpack_from("<I", head, 0x3C)[0] + 24
        plus = struct.unpack_from("<H", head, start)[0] == 0x20B
        self._entry = start + (112 if plus else 96) + 8 * _DIRECTORY_OF_CERTIFICATES
        piece = os.urandom(1 << 20)
        with path.open("wb") as file:
            file.write(
                head[: start + _CHECKSUM] + bytes(4) + head[start + _CHECKSUM + 4 :] + bytes(-len(head) % 8)
            )
            for _ in range(megabytes):
                file.write(piece)
        self._size = path.stat().st_size

    def unsign(self) -> None:
        with self.path.open("r+b") as file:
            file.seek(self._entry)
            file.write(bytes(8))
            file.truncate(self._size)


def prepare_server(work: Path, stack: ExitStack) -> Place:
    server = servers.start_ours(work / "server")
    stack.callback(server.stop)
    key, certificate = work / "key.pem", work / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:3072",
        "-nodes",
        "-subj",
        "/CN=Bench",
        "-days",
        "30",
    ]
    command += ["-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=critical,digitalSignature"]
    command += ["-addext", "basicConstraints=critical,CA:false"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    both = work / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    data = str(work / "server/data")

    def admin(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "sealstead", "admin", *arguments, "--data-dir", data],
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"error: admin {arguments[0]}: {done.stderr}")
        return done.stdout

    admin("create-certificate", "--pem", str(both), "--label", "bench")
    admin("grant-certificate", "--user", "bench", "--label", "bench")
    api_key = work / "api_key.txt"
    api_key.write_text(admin("create-api-key", "--user", "bench", "--name", "bench", "--role", "Standard"))
    api_key.chmod(0o600)
    return Place(work, key, certificate, server.simple.removesuffix("/simple/"), api_key)


def ours(place: Place, *more: str) -> list[str]:
    return ["sign", "--nb", "--af", str(place.api_key), "-s", place.url, "--label", "bench", *more]


def long_files(
    place: Place, programs: tuple[Program, Program], turns: int
) -> Iterator[tuple[Measured, list[int]]]:
    mine, peer = programs
    for megabytes, target in ((50, 1.2), (500, 0.45)):
        program = LongProgram(place.work / f"{megabytes}.exe", megabytes)
        output = place.work / "signed.exe"
        memory: list[int] = []

        def before(_: Program, program: LongProgram = program, output: Path = output) -> None:
            program.unsign()
            output.unlink(missing_ok=True)

        theirs = ["sign", "-key", str(place.key), "-certs", str(place.certificate)]
        theirs += ["-in", str(program.path), "-out", str(output)]
        measured = compare(
            f"sign {megabytes} MB",
            target,
            (mine, ours(place, str(program.path))),
            (peer, theirs),
            turns=turns,
            prepare=before,
        )
        before(mine)
        memory.append(mine.run(*ours(place, str(program.path))).memory_kib)
        before(mine)
        memory.append(peer.run(*theirs).memory_kib)
        yield measured, memory
        program.path.unlink()
        output.unlink()


def launchers(place: Place, programs: tuple[Program, Program], turns: int) -> Measured:
    """One command of ours for 200 files, against 200 runs of the peer, of which a tenth is measured."""
    mine, peer = programs
    directory = place.work / "launchers"
    directory.mkdir()
    data = launcher()
    sample = LAUNCHERS // 10
    times: dict[str, list[tuple[float, float]]] = {OURS: [], PEER: []}
    for turn in range(turns + 1):
        for number in range(LAUNCHERS):
            (directory / f"{number:03}.exe").write_bytes(data)
        theirs = []
        for number in range(sample):
            output = place.work / f"{number}.out"
            output.unlink(missing_ok=True)
            command = ["sign", "-key", str(place.key), "-certs", str(place.certificate)]
            theirs.append(peer.run(*command, "-in", str(directory / f"{number:03}.exe"), "-out", str(output)))
        run = mine.run(*ours(place, str(directory / "*.exe")))
        if turn:
            factor = LAUNCHERS / sample
            times[OURS].append((run.wall_ms, run.processor_ms))
            times[PEER].append(
                (
                    sum(one.wall_ms for one in theirs) * factor,
                    sum(one.processor_ms for one in theirs) * factor,
                )
            )
    shutil.rmtree(directory)
    return Measured(
        name=f"{LAUNCHERS} launchers, one command against {LAUNCHERS} runs",
        target=0.2,
        ours_ms=statistics.median(wall for wall, _ in times[OURS]),
        theirs_ms=statistics.median(wall for wall, _ in times[PEER]),
        ours_processor_ms=min(processor for _, processor in times[OURS]),
        theirs_processor_ms=min(processor for _, processor in times[PEER]),
        peer=PEER,
    )


def per_file(place: Place, mine: Program, turns: int) -> float:
    """Return the milliseconds that one more file of 1 MB takes, once the program runs."""
    directory = place.work / "files"
    directory.mkdir()
    took: dict[int, list[float]] = {1: [], PER_FILE: []}
    for _ in range(turns):
        for count, walls in took.items():
            for number in range(count):
                LongProgram(directory / f"{number}.exe", 1)
            walls.append(mine.run(*ours(place, str(directory / "*.exe"))).wall_ms)
            for path in directory.iterdir():
                path.unlink()
    one, many = (statistics.median(walls) for walls in took.values())
    return (many - one) / (PER_FILE - 1)


def markdown(results: list[Measured], memory: list[tuple[str, list[int]]], each_ms: float) -> str:
    version = subprocess.run(
        ["osslsigncode", "--version"], capture_output=True, text=True, check=False
    ).stdout
    lines = [
        report.measured_on("python -m benchmarks.signing"),
        f"Against {' '.join(version.split()[:2]).rstrip(',')}. RSA-3072, SHA-256, no time-stamp; medians of whole processes.",
        "",
        "| what | ours, ms | theirs, ms | ratio | wanted | | processor time, ratio |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    lines += [
        f"| {m.name} | {m.ours_ms:.0f} | {m.theirs_ms:.0f} | {m.ratio:.2f} | ≤ {m.target:g} "
        f"| {'holds' if m.ratio <= m.target else '**missed**'} | {m.processor_ratio:.2f} |"
        for m in results
    ]
    lines.append("")
    for name, (mine, theirs) in memory:
        verdict = "holds" if mine <= LIMIT_MB * 1024 else "**missed**"
        lines.append(
            f"Memory, {name}: {mine / 1024:.0f} MB (wanted: ≤ {LIMIT_MB} MB, {verdict}), theirs {theirs / 1024:.0f} MB."
        )
    lines.append(f"Each further file of 1 MB in one command: {each_ms:.1f} ms, server included.")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--only", help="measure only what has this in its name of group: long, many, each")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    options = parser.parse_args()
    for needed in ("osslsigncode", "openssl"):
        if shutil.which(needed) is None:
            sys.exit(f"error: {needed} is not installed")
    results: list[Measured] = []
    memory: list[tuple[str, list[int]]] = []
    each_ms = 0.0
    with tempfile.TemporaryDirectory(prefix="signing-bench-") as name, ExitStack() as stack:
        place = prepare_server(Path(name), stack)
        tool = str(Path(sys.executable).parent / "SignotaurTool")
        mine = Program(name=OURS, command=tool, home=_home(place.work, OURS))
        peer = Program(name=PEER, command=shutil.which("osslsigncode") or "", home=_home(place.work, PEER))

        def many() -> None:
            results.append(launchers(place, (mine, peer), max(3, options.turns // 2)))

        def long() -> None:
            for measured, sizes in long_files(place, (mine, peer), options.turns):
                results.append(measured)
                memory.append((measured.name, sizes))

        def each() -> None:
            nonlocal each_ms
            each_ms = per_file(place, mine, max(3, options.turns // 3))

        groups: dict[str, Callable[[], None]] = {"long": long, "many": many, "each": each}
        for group, measure in groups.items():
            if options.only in {None, group}:
                measure()
    table = markdown(results, memory, each_ms)
    print(table)
    print(json.dumps({m.name: round(m.ratio, 3) for m in results}), file=sys.stderr)
    if options.write:
        report.write(PAGE, table, begin=BEGIN, end=END)


def _home(work: Path, name: str) -> Path:
    home = work / "homes" / name
    home.mkdir(parents=True)
    return home


if __name__ == "__main__":
    main()
