"""Fixtures shared by all tests.

`--database sqlite` (default) or `postgres`: the database of in-process tests and of every server
process. With `postgres` one throw-away cluster serves the whole run; each worker of
pytest-xdist and each server has its own database on it.
"""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from tests.fakes.clock import FakeClock
from tests.postgres import Cluster, create_database, start_cluster
from tests.publisher import Publisher
from tests.server_process import Server, start_server

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

TESTS = Path(__file__).parent
LONG_FIRST = ("browser", "crash", "integration", "interop", "cli", "security")
"""Folders whose modules start servers, browsers and other programs: they have the first turns."""
WITHOUT_DATABASE = frozenset(
    {"architecture", "browser", "cli", "contract", "crash", "docs", "fuzz", "property"}
    | {"unit/codesign", "unit/custody", "unit/formats", "unit/identity", "unit/lifecycle", "unit/net"}
)
"""Folders that `-m database` need not even read. A test with the mark is an error there."""
ON_THE_DATABASE = ("db", "transactional_db", "server")
CLUSTER = pytest.StashKey[Cluster]()
CLUSTER_URL = "TESTS_POSTGRES_URL"
"""Hands the cluster's address from the run's first process to pytest-xdist's workers."""

# A busy machine is no defect, and two runs of one state try the same examples. `--hypothesis-profile=explore` tries others.
for profile, same in (("explore", False), ("house", True)):
    hypothesis_settings.register_profile(
        profile,
        deadline=None,
        derandomize=same,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
hypothesis_settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=["sqlite", "postgres"], default="sqlite", help="the database under test"
    )
    parser.addoption(
        "--crash", choices=["part", "all"], default="part", help="how many of the faults tests/crash injects"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the database, then name Django's settings: they are read only after this."""
    if hasattr(config, "workerinput"):
        # Inherited from the run's first process. With one directory for all, they would wait for each other's locks.
        os.environ.pop("SEALSTEAD_DATA_DIR", None)
    if config.getoption("--database") == "postgres":
        if not hasattr(config, "workerinput"):
            config.stash[CLUSTER] = cluster = start_cluster()
            os.environ[CLUSTER_URL] = cluster.url()
        os.environ["SEALSTEAD_DATABASE_URL"] = os.environ[CLUSTER_URL]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django_settings"
    # Playwright leaves an event loop in this thread, where Django otherwise refuses to touch the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from django.conf import settings

    # pytest-django, whose turn comes later, starts Django where the settings have been read.
    assert settings.DATABASES


def pytest_unconfigure(config: pytest.Config) -> None:
    if CLUSTER in config.stash:
        config.stash[CLUSTER].stop()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what has nothing of what was asked for; None lets others decide."""
    folder = collection_path.relative_to(TESTS).as_posix() if collection_path.is_relative_to(TESTS) else ""
    return True if config.option.markexpr == "database" and folder in WITHOUT_DATABASE else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays until the end: it need not be looked at again and again for what could be freed."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what touches the database before items are chosen by mark; order them when they were shuffled."""
    _mark_database(items)
    for item in items:
        folder = item.path.relative_to(TESTS).parent.as_posix()
        if item.get_closest_marker("database") and folder in WITHOUT_DATABASE:
            raise pytest.UsageError(
                f"{item.nodeid} is of the database: take {folder} out of WITHOUT_DATABASE"
            )
    yield
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Long modules first: a worker that begins one last leaves the other idle. Within a turn the order stays random."""
    folder = item.path.relative_to(TESTS).parts[0]
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)


def _mark_database(items: list[pytest.Item]) -> None:
    """Whatever touches the database must hold on both, so it carries the mark without being told.

    Pages look the same on either, and a browser is slow: its tests carry the mark where they ask for it.
    """
    for item in items:
        touches = item.get_closest_marker("django_db") or any(
            _is_shared(item, name) for name in ON_THE_DATABASE
        )
        if touches and "browser" not in item.path.parts:
            item.add_marker("database")


def _is_shared(item: pytest.Item, fixture: str) -> bool:
    """Return whether a test uses this fixture, and not one of its own module by that name."""
    info = getattr(item, "_fixtureinfo", None)
    found = info.name2fixturedefs.get(fixture, ()) if info else ()
    return bool(found) and not str(item.path).endswith(found[-1].baseid)


@pytest.fixture(autouse=True)
def _no_language_left_over() -> Iterator[None]:
    """Django keeps a request's language in the thread; the next test must not inherit it."""
    yield
    from django.utils import translation

    translation.deactivate()


@pytest.fixture
def fake_clock(settings: SettingsWrapper) -> FakeClock:
    """The clock of everything in this process; a test moves it."""
    clock = FakeClock()
    settings.SEALSTEAD = replace(settings.SEALSTEAD, clock=clock)
    return clock


@pytest.fixture(scope="session")
def fresh_database(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """Makes settings that give one data directory its own database, of the kind under test.

    One call for each data directory: a database is sealed under one key ring, and a second ring is refused.
    """
    if request.config.getoption("--database") == "sqlite":
        return dict
    return lambda: {"SEALSTEAD_DATABASE_URL": new_database()}


@pytest.fixture(scope="session")
def database_environment(fresh_database: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The settings of the fixture `server`."""
    return fresh_database()


def new_database() -> str:
    """Create an empty database on the run's cluster and return its URL."""
    return create_database(os.environ[CLUSTER_URL], f"server_{secrets.token_hex(6)}")


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, database_environment: dict[str, str]
) -> Iterator[Server]:
    """A real server with two workers, shared by the tests of this process: they must not assume it empty."""
    # All of them come from one address; what is counted by address is tested on a server of its own.
    environment = database_environment | {"SEALSTEAD_MAX_WRONG_CREDENTIALS": "100000"}
    running = start_server(tmp_path_factory.mktemp("server") / "data", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """Somebody with a home, a current directory and no keyring."""
    return Publisher(root=tmp_path / "publisher")
