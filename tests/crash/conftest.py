"""`--crash all` injects every fault (`make crash`); without it each test injects a part, another one for each command."""

from __future__ import annotations

import pytest

SUMMARY = "crash report"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == SUMMARY and report.when == "call"
    ]
    if lines:
        terminalreporter.section("faults injected")
        for line in sorted(lines):
            terminalreporter.write_line(line)
