"""Finds, for one command, every call at which it can be interrupted, and looks at what each interruption leaves.

1. `prepare` makes the state before; the command runs once, undisturbed, and every change it makes to a file or to
   the keyring is listed (`shim`).
2. For each call of that list and each way in which it can fail, the state before is put back and the command runs
   again, with that one fault. The process is real and dies by SIGKILL.
3. `at_rest` is asserted on what is left. Then, from that same rest and for each thing that may happen in between
   (nothing; the user edits or restores a file; the keyring changes), the command runs again and `after` is asserted.
   Many faults leave the same state: each different one is gone on from once.

All paths are the same in every run, so that whatever the command wrote down about paths stays true.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.shim import faults_of, normalised

REPOSITORY = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")  # noqa: S108 - a sweep does ten thousand fsyncs; where there is no such place, the disk will do


SECONDS = 200.0
"""How long a command takes at most, also on a machine that is busy elsewhere; one that takes longer hangs."""


@dataclass(frozen=True)
class Call:
    number: int
    operation: str
    what: str

    @property
    def shape(self) -> tuple[str, str]:
        return self.operation, normalised(self.what)


@dataclass(frozen=True, kw_only=True)
class Fault:
    call: Call
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at call {self.call.number} ({self.call.operation} {normalised(self.call.what)})"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one process did. `state` is exited, killed, stopped or hung."""

    pid: int
    state: str
    code: int | None
    stdout: str
    stderr: str
    calls: tuple[Call, ...]

    def error_code(self) -> str:
        """Return the `code` of the error that a command with --json told, or an empty text."""
        for line in reversed(self.stderr.strip().splitlines()):
            try:
                return str(json.loads(line)["error"]["code"])
            except (ValueError, KeyError, TypeError):
                continue
        return ""


class Runner:
    """One forking server, and one place at which every case is played."""

    def __init__(self, target: str, *preload: str, environment: Mapping[str, str] | None = None) -> None:
        self._target = [target, *preload]
        self.environment = dict(environment or {})

    def __enter__(self) -> Self:
        self._place = tempfile.TemporaryDirectory(
            prefix="crash-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None
        )
        self.top = Path(self._place.name)
        (self.top / "case").mkdir()
        self._log = (self.top / "server.log").open("wb")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", *self._target],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": "src:.", "PYTHONDONTWRITEBYTECODE": "1"}
            | {"HOME": str(self.top)}
            | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(SECONDS)
        self._server.stdout.close()
        self._log.close()
        self._place.cleanup()

    @property
    def case(self) -> Path:
        """The directory in which a command runs, with whatever it finds there."""
        return self.top / "case"

    def run(
        self,
        arguments: Sequence[str],
        *,
        fault: Fault | None = None,
        stop_at: int | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        seconds: float = SECONDS,
    ) -> Ran:
        """Run the command in a process of its own; only what it does below `case` is counted."""
        chosen = {"call": fault.call.number, "kind": fault.kind} if fault else None
        if stop_at is not None:
            chosen = {"call": stop_at, "kind": "stop"}
        (self.top / "stdin").write_text(stdin)
        names = {name: str(self.top / f"{name}{stop_at or ''}") for name in ("stdout", "stderr", "log")}
        request = {
            "arguments": list(arguments),
            "environment": {"PATH": os.environ["PATH"], "HOME": str(self.case / "home"), "LANG": "C.UTF-8"}
            | self.environment
            | dict(environment or {}),
            "cwd": str(cwd or self.case),
            "roots": [str(self.case)],
            "fault": chosen,
            "seconds": seconds,
            "stdin": str(self.top / "stdin"),
            **names,
        }
        return self._ask(request, names)

    def resume(self, stopped: Ran, *, stop_at: int, seconds: float = SECONDS) -> Ran:
        """Let a process go on that was stopped before call `stop_at`."""
        names = {name: str(self.top / f"{name}{stop_at or ''}") for name in ("stdout", "stderr", "log")}
        return self._ask({"resume": stopped.pid, "seconds": seconds}, names)

    def _ask(self, request: dict[str, Any], names: Mapping[str, str]) -> Ran:
        assert self._server.stdin
        assert self._server.stdout
        try:
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            line = self._server.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError("the forking server ended:\n" + (self.top / "server.log").read_text())
        answer = json.loads(line)
        return Ran(
            **answer,
            stdout=Path(names["stdout"]).read_text(errors="replace"),
            stderr=Path(names["stderr"]).read_text(errors="replace"),
            calls=tuple(Call(*json.loads(line)) for line in Path(names["log"]).read_text().splitlines()),
        )

    def keep(self, name: str) -> None:
        """Remember the case as it is, under `name`."""
        shutil.rmtree(self.top / name, ignore_errors=True)
        shutil.copytree(self.case, self.top / name, symlinks=True)

    def put_back(self, name: str) -> None:
        shutil.rmtree(self.case)
        shutil.copytree(self.top / name, self.case, symlinks=True)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One command and what has to hold about it. Checks raise AssertionError."""

    name: str
    arguments: Callable[[Runner], Sequence[str]]
    prepare: Callable[[Runner], None]
    at_rest: Callable[[Runner, Ran], None]
    after: Callable[[Runner, str, Ran], None]
    done: Callable[[Runner, Ran], None]
    between: Mapping[str, Callable[[Runner], None]] = field(default_factory=dict)
    stdin: str = ""
    cwd: str = "."
    environment: Callable[[Runner], Mapping[str, str]] = lambda _: {}
    seconds: float = SECONDS


@dataclass(kw_only=True)
class Report:
    name: str
    calls: int = 0
    rests: set[frozenset[tuple[object, ...]]] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return (
            f"{self.name}: {self.calls} calls, {self.faults.total()} faults injected ({kinds}), leaving "
            f"{len(self.rests)} different states, {self.runs} runs afterwards, {len(self.problems)} problems"
        )


def trace(runner: Runner, scenario: Scenario) -> Ran:
    """Make the state before, keep it, and return the run that nothing disturbed."""
    shutil.rmtree(runner.case)
    runner.case.mkdir()
    scenario.prepare(runner)
    runner.keep("before")
    ran = _run(runner, scenario)
    assert ran.state == "exited", f"{scenario.name}: {ran}"
    scenario.done(runner, ran)
    return ran


def all_faults(ran: Ran) -> Iterator[Fault]:
    for call in ran.calls:
        for kind in faults_of(call.operation):
            yield Fault(call=call, kind=kind)


def sweep(runner: Runner, scenario: Scenario, *, every: int = 1, offset: int = 0) -> Report:
    """Inject the faults of `scenario`; of all of them each `every`-th, beginning at `offset`."""
    undisturbed = trace(runner, scenario)
    report = Report(name=scenario.name, calls=len(undisturbed.calls))
    report.problems += [f"undisturbed: {gap}" for gap in undurable(undisturbed.calls)]
    for number, fault in enumerate(all_faults(undisturbed)):
        if number % every != offset % every:
            continue
        runner.put_back("before")
        ran = _run(runner, scenario, fault)
        report.faults[fault.kind] += 1
        reached = ran.calls[fault.call.number : fault.call.number + 1]
        if not reached or reached[0].shape != fault.call.shape:
            report.problems.append(f"{fault}: the run took another way: {reached}")
            continue
        runner.keep("rest")
        _judge(report, f"{fault}", ran, lambda ran=ran: scenario.at_rest(runner, ran))
        shape = _shape(runner.top / "rest", runner.top / "before")
        if shape in report.rests:
            continue  # what comes next would be the same again
        report.rests.add(shape)
        for name, act in {"nothing": lambda _: None, **scenario.between}.items():
            runner.put_back("rest")
            act(runner)
            runner.keep("between")
            again = runner.run(
                scenario.arguments(runner),
                stdin=scenario.stdin,
                cwd=runner.case / scenario.cwd,
                environment=scenario.environment(runner),
                seconds=scenario.seconds,
            )
            report.runs += 1
            _judge(
                report,
                f"{fault}, then {name}, then again",
                again,
                lambda name=name, again=again: scenario.after(runner, name, again),
            )
    return report


def _run(runner: Runner, scenario: Scenario, fault: Fault | None = None) -> Ran:
    return runner.run(
        scenario.arguments(runner),
        fault=fault,
        stdin=scenario.stdin,
        cwd=runner.case / scenario.cwd,
        environment=scenario.environment(runner),
        seconds=scenario.seconds,
    )


def _judge(report: Report, where: str, ran: Ran, check: Callable[[], None]) -> None:
    try:
        assert ran.state != "hung", "the command hung"
        assert ran.code != 70, "a mistake inside the command"
        assert "Traceback" not in ran.stderr
        check()
    except AssertionError as exc:
        told = " | ".join(ran.stderr.strip().splitlines()[-4:])
        report.problems.append(f"{where}: {exc} [{ran.state} {ran.code}: {told}]")


def undurable(calls: Sequence[Call]) -> list[str]:
    """Return where a power cut could take back what a command relied on.

    A file renamed or linked into place must have been synced after its last write, and the directory of every
    change must be synced before the end. Locks and removals of temporary files need neither.
    """
    gaps = []
    unsynced: set[str] = set()
    names: dict[str, str] = {}
    for call in calls:
        match call.operation:
            case "write" | "truncate":
                unsynced.add(call.what)
            case "fsync":
                unsynced.discard(call.what)
                names.pop(call.what, None)
            case "rename" | "link":
                source, _, target = call.what.partition(" -> ")
                if source in unsynced:
                    gaps.append(f"{normalised(target)} was put in place before its content was synced")
                names[os.path.dirname(target)] = target
    gaps += [f"{normalised(path)} was written and never synced" for path in sorted(unsynced)]
    gaps += [
        f"the directory of {normalised(target)} was never synced after it was put there"
        for target in names.values()
    ]
    return gaps


def _shape(directory: Path, before: Path) -> frozenset[tuple[object, ...]]:
    """Return what two states have in common that differ only in random keys, random names and moments."""
    was = tree(before)
    return frozenset(
        (normalised(name), mode, len(content), was.get(name) == (mode, content))
        for name, (mode, content) in tree(directory).items()
    )


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of everything below `directory`: two equal trees mean that nothing was touched."""
    found = {}
    for path in sorted(directory.rglob("*")):
        content = (
            os.fsencode(path.readlink())
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else b""
        )
        found[path.relative_to(directory).as_posix()] = (path.lstat().st_mode, content)
    return found
