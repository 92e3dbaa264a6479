"""`auth set-key` and `rotate-key`, interrupted at every change that they make to a file: a good key is always there."""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.crash.conftest import SUMMARY
from tests.crash.harness import Ran, Runner, Scenario, sweep
from tests.fakes.signing_server import FakeSigningServer, signing_server

from sealstead.formats.api_key_text import make_api_key

PART = 10
"""Without `--crash all`, of this many faults one is injected."""
NEW = make_api_key(lambda count: bytes(range(count))).text.reveal()
OTHERS = "# ours\nA=1\n"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner("tests.crash.sign_product:main", "tests.crash.sign_product:prepare") as running:
        yield running


@pytest.fixture(scope="module")
def server(runner: Runner) -> Iterator[FakeSigningServer]:
    """A server whose rows are part of the case, and so go back with it."""
    with signing_server() as running:
        real = running.answer

        def answer(*given: Any) -> Any:
            running.rows = pickle.loads(rows_of(runner).read_bytes())  # noqa: S301 - ours
            try:
                return real(*given)
            finally:
                rows_of(runner).write_bytes(pickle.dumps(running.rows))

        running.answer = answer  # type: ignore[method-assign]
        yield running


def rows_of(runner: Runner) -> Path:
    return runner.case / "server" / "rows"


def env(runner: Runner) -> Path:
    return runner.case / "conf" / ".env"


def in_file(runner: Runner) -> str:
    text = env(runner).read_text()
    assert text.startswith(OTHERS)
    assert (env(runner).stat().st_mode & 0o777) in (0o600, 0o644)
    return text.removeprefix(OTHERS).removeprefix("SIGNOTAUR_API_KEY=").removesuffix("\n")


def strays(runner: Runner) -> list[str]:
    return [p.name for p in runner.case.rglob("*") if p.name.endswith((".tmp", ".rotation"))]


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    arguments: Sequence[str]
    in_place: bool = True
    """The new key goes to the file that the old one comes from."""
    has_target: bool = True
    """It goes into a file at all."""


CASES = (
    Case(name="set-key", arguments=("auth", "set-key", "--fs", "--we", "conf/.env")),
    Case(
        name="rotate-key in place",
        arguments=("rotate-key", "--af", "conf/.env", "--we", "conf/.env", "--overlap-days", "0"),
    ),
    Case(
        name="rotate-key for a build server",
        arguments=("rotate-key", "--af", "conf/.env", "--emit-secret", "gitlab", "--wk", "other/new/key"),
        in_place=False,
    ),
    Case(
        name="rotate-key for a build server alone",
        arguments=("rotate-key", "--af", "conf/.env", "--emit-secret", "gitlab"),
        in_place=False,
        has_target=False,
    ),
)


def scenario(case: Case, server: FakeSigningServer) -> Scenario:  # noqa: C901 - one list of what has to hold
    rotates = case.arguments[0] == "rotate-key"

    def prepare(runner: Runner) -> None:
        for name in ("home", "conf", "server"):
            (runner.case / name).mkdir()
        server.rows = {}
        key = server.issue().text.reveal()
        rows_of(runner).write_bytes(pickle.dumps(server.rows))
        env(runner).write_text(f"{OTHERS}SIGNOTAUR_API_KEY={key}\n")

    def good(runner: Runner, text: str) -> bool:
        server.rows = pickle.loads(rows_of(runner).read_bytes())  # noqa: S301 - ours
        return server.knows(text)

    def at_rest(runner: Runner, ran: Ran) -> None:
        before = (runner.top / "before/conf/.env").read_text().strip().rpartition("=")[2]
        now = in_file(runner)
        if not rotates:
            assert now in (before, NEW)
            return
        staged = [json.loads(p.read_text())["key"] for p in runner.case.rglob("*.rotation")]
        written = [p.read_text().strip() for p in runner.case.glob("other/new/key")]
        assert any(good(runner, text) for text in [now, *staged, *written])
        assert len(server.rows) <= 2

    def done(runner: Runner, ran: Ran) -> None:
        assert ran.code == 0, ran.stderr
        kept = [] if case.has_target else [p.name for p in runner.case.rglob("*.rotation")]
        assert strays(runner) == kept
        assert case.has_target or len(kept) == 1
        if not rotates:
            assert in_file(runner) == NEW
            return
        told = ran.stdout.strip().removeprefix("SIGNOTAUR_API_KEY=")
        if case.in_place:
            assert env(runner).stat().st_mode & 0o777 == 0o600
        else:
            assert good(runner, told)
        assert good(runner, in_file(runner) if case.in_place else told)
        for path in runner.case.glob("other/new/key"):
            assert path.read_text().strip() == told
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700

    def after(runner: Runner, between: str, ran: Ran) -> None:
        done(runner, ran)

    return Scenario(
        name=case.name,
        arguments=lambda _: list(case.arguments),
        prepare=prepare,
        at_rest=at_rest,
        after=after,
        done=done,
        stdin=f"{NEW}\n",
        environment=lambda _: {"SIGNOTAUR_SERVER": server.url},
    )


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_survives(
    runner: Runner,
    server: FakeSigningServer,
    case: Case,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    everything = pytestconfig.getoption("--crash") == "all"
    report = sweep(
        runner,
        scenario(case, server),
        every=1 if everything else PART,
        offset=0 if everything else zlib.crc32(case.name.encode()) % PART,
    )
    record_property(SUMMARY, str(report))
    assert report.problems == []
    assert report.faults.total() >= report.calls / PART
