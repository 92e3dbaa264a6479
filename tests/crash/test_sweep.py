"""Every lifecycle command, interrupted at every change that it makes to a file or to the keyring."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import pytest
from tests.crash.conftest import SUMMARY
from tests.crash.harness import Runner, sweep
from tests.crash.lifecycle import COMMANDS, Commands, scenario


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner("tests.crash.product:main", "tests.crash.product:prepare") as running:
        yield running


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_survives(
    runner: Runner,
    command: Commands,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    everything = pytestconfig.getoption("--crash") == "all"
    report = sweep(
        runner,
        scenario(command),
        every=1 if everything else command.part,
        offset=0 if everything else zlib.crc32(command.name.encode()) % command.part,
    )
    record_property(SUMMARY, str(report))
    assert report.problems == []
    assert report.faults.total() >= report.calls / command.part
