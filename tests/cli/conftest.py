"""The real command, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.profile_place import ProfilePlace
from tests.fakes.signing_server import FakeSigningServer, signing_server
from tests.forked import run_sealstead
from tests.pipeline import Pipeline
from tests.publisher import Publisher


@dataclass(frozen=True, kw_only=True)
class Done:
    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture(scope="session")
def sealstead() -> Command:
    """Run `sealstead` with these arguments; stdin is no terminal."""

    def run(*arguments: object, stdin: str = "", environment: dict[str, str] | None = None) -> Done:
        done = run_sealstead(
            [*map(str, arguments)], extra={"COLUMNS": "100"} | (environment or {}), stdin=stdin
        )
        assert "Traceback" not in done.stderr or (environment or {}).get("SEALSTEAD_DEBUG") == "1"
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture(scope="session")
def environment(fresh_database: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The settings of `data_dir`."""
    return fresh_database()


@pytest.fixture(scope="session")
def data_dir(
    sealstead: Command, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Path:
    """A data directory made ready without a server."""
    path = tmp_path_factory.mktemp("cli") / "data"
    done = sealstead("admin", "migrate", "--data-dir", path, environment=environment)
    assert done.code == 0, done.err
    assert "accounts.0001_initial" in done.out.splitlines()
    return path


@pytest.fixture
def place(publisher: Publisher) -> ProfilePlace:
    return ProfilePlace(publisher)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(root=tmp_path / "pipeline")


@pytest.fixture
def signing(pipeline: Pipeline) -> Iterator[FakeSigningServer]:
    """A signing server that the pipeline's environment names."""
    with signing_server() as running:
        pipeline.environment["SIGNOTAUR_SERVER"] = running.url
        yield running
