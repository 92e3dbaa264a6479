"""Measure `pypi-profile` beside the tool it replaces, and beside C minisign: whole processes, in turns, in one run.

Each program has its own environment, HOME and working directory. What a command uses up (a key that must not exist
yet, a profile without proofs) is made anew before each turn, outside the measured time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks import pages, report

URLS = 200
FILE_MB = 100
OURS, PEER, MINISIGN = "sealstead", "pypi-profile", "minisign"
PAGE = Path("docs/benchmarks.md")
BEGIN, END = "<!-- begin of the identity table -->", "<!-- end of the identity table -->"


class Run(NamedTuple):
    """What one process took."""

    wall_ms: float
    processor_ms: float
    memory_kib: int


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program with a home of its own."""

    name: str
    command: str
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True) -> Run:
        """Run it as a process of its own, and return what that took."""
        log = self.home / "log"
        with log.open("wb") as out, Path(os.devnull).open("rb") as nothing:
            before = time.perf_counter()
            process = subprocess.Popen(
                [self.command, *arguments],
                cwd=self.home,
                env=self._environment(),
                stdin=nothing,
                stdout=out,
                stderr=out,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        if check and process.returncode:
            sys.exit(
                f"error: {self.name} {' '.join(arguments)}: exit {process.returncode}\n{log.read_text()}"
            )
        return Run(
            wall_ms=seconds * 1000,
            processor_ms=(usage.ru_utime + usage.ru_stime) * 1000,
            memory_kib=usage.ru_maxrss,
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            # No keyring unless the measurement is about one; the peer has no flag for it on most commands.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        } | self.environment


@dataclass(frozen=True, kw_only=True)
class Measured:
    name: str
    target: float
    ours_ms: float
    theirs_ms: float
    ours_processor_ms: float
    theirs_processor_ms: float
    peer: str = PEER

    @property
    def ratio(self) -> float:
        return self.ours_ms / self.theirs_ms

    @property
    def processor_ratio(self) -> float:
        return self.ours_processor_ms / self.theirs_processor_ms


Prepare = Callable[[Program], object]


def compare(
    name: str,
    target: float,
    ours: tuple[Program, list[str]],
    theirs: tuple[Program, list[str]],
    *,
    turns: int,
    prepare: Prepare = lambda _: None,
) -> Measured:
    """Let both run in turns, the first turn uncounted; keep the medians, and the least processor time.

    The least, for what else the machine does can only add to it: it is the figure to compare where others are at work.
    """
    runs: dict[str, list[Run]] = {ours[0].name: [], theirs[0].name: []}
    for turn in range(turns + 1):
        # Whoever follows the other finds the caches as that one left them: they take turns at that too.
        for program, arguments in (ours, theirs) if turn % 2 else (theirs, ours):
            prepare(program)
            run = program.run(*arguments)
            if turn:
                runs[program.name].append(run)

    def median(program: Program) -> float:
        return statistics.median(run.wall_ms for run in runs[program.name])

    def least(program: Program) -> float:
        return min(run.processor_ms for run in runs[program.name])

    measured = Measured(
        name=name,
        target=target,
        ours_ms=median(ours[0]),
        theirs_ms=median(theirs[0]),
        ours_processor_ms=least(ours[0]),
        theirs_processor_ms=least(theirs[0]),
        peer=theirs[0].name,
    )
    print(
        f"{name}: {measured.ours_ms:.0f} ms / {measured.theirs_ms:.0f} ms = {measured.ratio:.2f}; processor "
        f"{measured.ours_processor_ms:.0f} / {measured.theirs_processor_ms:.0f} = {measured.processor_ratio:.2f}",
        file=sys.stderr,
    )
    return measured


def profile_text(port: int, urls: int, *, user: str) -> str:
    entries = "".join(
        f'\n[[profiles]]\nkind = "website"\nurl = "http://127.0.0.1:{port}/{user}/{number}"\nlabel = "Page {number}"\n'
        for number in range(urls)
    )
    return (
        '[profile]\nkind = "individual"\ndisplay_name = "Ada"\n\n'
        f'[identity]\npypi_username = "{user}"\n{entries}\n[verification]\npublic_key = ""\n'
    )


def small_commands(ours: Program, peer: Program, turns: int) -> Iterator[Measured]:
    both = (ours, peer)
    yield compare("--help", 1.2, (ours, ["--help"]), (peer, ["--help"]), turns=turns)
    for program in both:
        (program.home / "pypi_profile.toml").write_text(profile_text(9, 1, user="ada"))
        program.run("keygen", "--no-keyring")
    url = "http://127.0.0.1:9/ada/0"
    yield compare(
        "key-info, no keyring", 0.5, (ours, ["key-info", "--no-keyring"]), (peer, ["key-info"]), turns=turns
    )
    yield compare(
        "sign, no keyring",
        0.5,
        (ours, ["sign", "controls-url", "pypi_profile.toml", "--url", url, "--no-keyring"]),
        (peer, ["sign", "controls-url", "pypi_profile.toml", "--url", url, *_peer_key(peer)]),
        turns=turns,
    )
    yield compare("key-list", 0.5, (ours, ["key-list"]), (peer, ["key-list"]), turns=turns)

    def forget(program: Program) -> None:
        shutil.rmtree(program.home / ".pypi_profile", ignore_errors=True)
        (program.home / "pypi_profile.toml").write_text(profile_text(9, 1, user="ada"))

    keygen = ["keygen", "--no-keyring"]
    yield compare("keygen, no keyring", 0.5, (ours, keygen), (peer, keygen), turns=turns, prepare=forget)


def with_a_keyring(ours: Program, peer: Program, turns: int) -> Iterator[Measured]:
    def forget(program: Program) -> None:
        shutil.rmtree(program.home / ".pypi_profile", ignore_errors=True)
        Path(program.environment["BENCH_KEYRING"]).unlink(missing_ok=True)
        (program.home / "pypi_profile.toml").write_text(profile_text(9, 1, user="ada"))

    url = "http://127.0.0.1:9/ada/0"
    yield compare("keygen, keyring", 1, (ours, ["keygen"]), (peer, ["keygen"]), turns=turns, prepare=forget)
    yield compare("key-info, keyring", 1, (ours, ["key-info"]), (peer, ["key-info"]), turns=turns)
    yield compare(
        "sign, keyring",
        1,
        (ours, ["sign", "controls-url", "pypi_profile.toml", "--url", url]),
        (peer, ["sign", "controls-url", "pypi_profile.toml", "--url", url]),
        turns=turns,
    )


def many_urls(ours: Program, peer: Program, turns: int) -> Iterator[Measured]:
    """Proofs of 200 pages: made, then checked where they stand."""
    toml: dict[str, str] = {}

    def without_proofs(program: Program) -> None:
        (program.home / "pypi_profile.toml").write_text(toml[program.name])

    with pages.serving([program.home / "pypi_profile.toml" for program in (ours, peer)]) as port:
        for program in (ours, peer):
            (program.home / "pypi_profile.toml").write_text(profile_text(port, URLS, user=program.name))
            program.run("keygen", "--no-keyring")
            toml[program.name] = (program.home / "pypi_profile.toml").read_text()
        yield compare(
            f"update-proofs, {URLS} URLs",
            0.2,
            (ours, ["update-proofs", "pypi_profile.toml", "--no-keyring"]),
            (peer, ["update-proofs", "pypi_profile.toml", *_peer_key(peer)]),
            turns=turns,
            prepare=without_proofs,
        )
        yield compare(
            f"verify, {URLS} loopback URLs",
            0.3,
            (ours, ["verify", "pypi_profile.toml", "--allow-private"]),
            (peer, ["verify", "pypi_profile.toml", "--json"]),
            turns=turns,
        )
        said = json.loads((peer.home / "log").read_text())
        if said["verified"] != URLS:
            sys.exit(f"error: the peer verified {said['verified']} of {URLS}: not a comparison")


def big_file(ours: Program, minisign: Program, turns: int) -> tuple[Measured, list[int]]:
    """Return the comparison, and our memory in KiB for a small and for a big file."""
    for name, size in (("small", 1), ("big", FILE_MB)):
        # In pieces: a child's peak counts from the fork, and would be this process's own.
        piece = os.urandom(2**20)
        with (minisign.home / name).open("wb") as file:
            for _ in range(size):
                file.write(piece)
    minisign.run("-G", "-W", "-p", "key.pub", "-s", "secret.key")
    key = minisign.home / "secret.key"
    mine = Program(
        name=ours.name, command=ours.command, home=ours.home, environment={"PYPI_PROFILE_KEY_PATH": str(key)}
    )
    arguments = ["sign-file", "--no-keyring", "--force"]
    measured = compare(
        f"sign-file, {FILE_MB} MB",
        1.2,
        (mine, [*arguments, str(minisign.home / "big")]),
        (minisign, ["-S", "-s", str(key), "-m", "big", "-x", "theirs.minisig"]),
        turns=turns,
    )
    return measured, [mine.run(*arguments, str(minisign.home / name)).memory_kib for name in ("small", "big")]


def _peer_key(peer: Program) -> list[str]:
    """Name the key file: without a keyring the peer looks for another one than its keygen wrote."""
    return ["--key", str(next((peer.home / ".pypi_profile").glob("*.key")))]


@contextmanager
def programs(work: Path, ours: Path, peers: Path) -> Iterator[Callable[[str, str], Program]]:
    def make(name: str, place: str) -> Program:
        home = work / place / name
        home.mkdir(parents=True)
        command = {
            OURS: str(ours / "bin" / "pypi-profile"),
            PEER: str(peers.resolve() / "bin" / "pypi-profile"),
            MINISIGN: shutil.which("minisign") or "",
        }[name]
        environment = {}
        if place == "keyring":
            environment = {
                "PYTHON_KEYRING_BACKEND": "bench_keyring.Keyring",
                "PYTHONPATH": str(Path(__file__).parent / "keyring"),
                "BENCH_KEYRING": str(home / "keyring.json"),
            }
        return Program(name=name, command=command, home=home, environment=environment)

    yield make


def markdown(results: list[Measured], memory: list[int], peers: Path) -> str:
    version = subprocess.run(
        [str(peers / "bin" / "pypi-profile"), "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    lines = [
        report.measured_on("python -m benchmarks.identity"),
        f"Against {version}, each in its own environment, and C minisign. Medians of whole processes, in turns;",
        "and the ratio of their processor times, the least of each.",
        "",
        "| what | ours, ms | theirs, ms | ratio | of processor time | wanted | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {m.name}{'' if m.peer == PEER else f' (against {m.peer})'} | {m.ours_ms:.0f} | {m.theirs_ms:.0f} "
        f"| {m.ratio:.2f} | {m.processor_ratio:.2f} | ≤ {m.target:g} | {'holds' if m.ratio <= m.target else '**missed**'} |"
        for m in results
    ]
    if memory:
        small, big = memory
        flat = "independent of the size" if big <= small * 1.1 else "**grows with the file**"
        lines += [
            "",
            f"Memory of `sign-file`: {small / 1024:.0f} MB for 1 MB, {big / 1024:.0f} MB for {FILE_MB} MB: {flat}.",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--ours", type=Path, default=Path(sys.prefix), help="environment that holds ours, if not this one"
    )
    parser.add_argument("--peer", type=Path, required=True, help="environment that holds pypi-profile 0.3.0")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--only", help="measure only what has this in its name of group")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    options = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    results: list[Measured] = []
    memory: list[int] = []
    with (
        tempfile.TemporaryDirectory(prefix="identity-bench-") as name,
        programs(Path(name), options.ours.resolve(), options.peer) as make,
    ):
        groups: dict[str, Callable[[], object]] = {
            "small": lambda: results.extend(
                small_commands(make(OURS, "small"), make(PEER, "small"), options.turns)
            ),
            "keyring": lambda: results.extend(
                with_a_keyring(make(OURS, "keyring"), make(PEER, "keyring"), options.turns)
            ),
            "urls": lambda: results.extend(
                many_urls(make(OURS, "urls"), make(PEER, "urls"), max(3, options.turns // 3))
            ),
        }
        for group, measure in groups.items():
            if options.only in {None, group}:
                measure()
        if options.only in {None, "file"}:
            if shutil.which("minisign") is None:
                sys.exit("error: minisign is not installed")
            measured, memory = big_file(make(OURS, "file"), make(MINISIGN, "file"), options.turns)
            results.append(measured)
    table = markdown(results, memory, options.peer)
    print(table)
    if options.write:
        report.write(PAGE, table, begin=BEGIN, end=END)


if __name__ == "__main__":
    main()
