"""The harness finds what is wrong with small commands that are wrong in one way, and nothing in one that is right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.harness import REPOSITORY, Ran, Report, Runner, Scenario, sweep, trace
from tests.crash.toy import NEW
from tests.programs import require_program

pytestmark = pytest.mark.timeout(1200)
OLD = b"old content\n"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner("tests.crash.toy:main") as running:
        yield running


def scenario(action: str) -> Scenario:
    def prepare(runner: Runner) -> None:
        (runner.case / "file").write_bytes(OLD)

    def at_rest(runner: Runner, ran: Ran) -> None:
        assert (runner.case / "file").exists(), "the file is gone"
        assert (runner.case / "file").read_bytes() in (OLD, NEW), "half written"

    def after(runner: Runner, between: str, ran: Ran) -> None:
        assert ran.code == 0, "the second run failed"
        assert (runner.case / "file").read_bytes() == NEW
        assert {path.name for path in runner.case.iterdir()} <= {"file", "other"}, "something is left"

    def done(runner: Runner, ran: Ran) -> None:
        assert ran.code == 0

    return Scenario(
        name=action,
        arguments=lambda _: [action, "file"],
        prepare=prepare,
        at_rest=at_rest,
        after=after,
        done=done,
        between={"an edit": lambda runner: (runner.case / "other").write_text("edited") and None},
    )


def test_finds_nothing_in_a_command_that_is_safe(runner: Runner) -> None:
    report = sweep(runner, scenario("safe"))
    assert report.problems == []
    # create, chmod is not called, write, fsync, rename, read and fsync of the directory
    assert report.calls == 6
    assert report.faults == {"kill-before": 5, "kill-after": 5, "eio": 6, "enospc": 5, "torn": 1}
    # Before, the empty file, the whole file, and the new content are the states there are; a part of one by "torn".
    assert report.runs == 2 * len(report.rests)
    assert len(report.rests) == 5


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ("in-place", "half written"),
        ("removes-first", "the file is gone"),
        ("unsynced", "put in place before its content was synced"),
        ("unsynced", "the directory of .* was never synced"),
        ("leaves-temporary", "something is left"),
        ("gives-up", "the second run failed"),
    ],
)
def test_finds_the_flaw(runner: Runner, action: str, problem: str) -> None:
    report: Report = sweep(runner, scenario(action))
    assert any(re.search(problem, found) for found in report.problems), report.problems


def test_each_fault_happens_at_its_call(runner: Runner) -> None:
    calls = [
        (call.operation, Path(call.what.split(" ")[0]).name) for call in trace(runner, scenario("safe")).calls
    ]
    assert [operation for operation, _ in calls] == ["create", "write", "fsync", "rename", "read", "fsync"]


def test_sees_what_the_operating_system_sees(tmp_path: Path) -> None:
    """A change to a file that goes past the wrappers would never be interrupted."""
    strace = require_program("strace")
    log, seen = tmp_path / "log", tmp_path / "strace"
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [
            *(strace, "-f", "-y", "-o", str(seen), "-e", "trace=" + ",".join(SYSTEM_CALLS)),
            *(sys.executable, "-m", "tests.crash.toy", "text", str(work / "file")),
        ],
        check=False,
        cwd=REPOSITORY,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"tests/crash/sitecustomize:{REPOSITORY}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "CRASH_PLAN": json.dumps({"roots": [str(work)], "log": str(log)}),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    ours = [json.loads(line)[1] for line in log.read_text().splitlines()]
    assert [operation for operation in ours if operation != "read"] == list(system_calls(seen, work))
    assert len(ours) > 15


SYSTEM_CALLS = {
    "openat": "create",
    "write": "write",
    "fsync": "fsync",
    "rename": "rename",
    "link": "link",
    "linkat": "link",
    "unlink": "unlink",
    "mkdir": "mkdir",
    "rmdir": "rmdir",
    "chmod": "chmod",
    "fchmod": "chmod",
    "fchmodat": "chmod",
    "symlink": "symlink",
    "ftruncate": "truncate",
    "utimensat": "utime",
    "pwrite64": "write",
    "sendfile": "write",
    "copy_file_range": "write",
}


def system_calls(log: Path, root: Path) -> Iterator[str]:
    """Yield each change that strace saw below `root`, in our words."""
    for line in log.read_text().splitlines():
        found = re.match(r"\d+ +(\w+)\((.*)", line)
        if not found or str(root) not in line:
            continue
        if found[1] == "openat":
            if "O_CREAT" in line or "O_TRUNC" in line:
                yield "create"
            elif "O_WRONLY" in line or "O_RDWR" in line:
                yield "open"
        else:
            yield SYSTEM_CALLS[found[1]]
