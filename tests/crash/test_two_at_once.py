"""Two commands at one time: on one key directory, and on two that share one entry of the keyring.

The first is stopped before one of its calls, the second runs, the first goes on. That is every way in which two can
meet, as far as the second one is quick.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from tests.crash import witness
from tests.crash.harness import Ran, Runner
from tests.crash.lifecycle import Commands, Play, with_a_key

pytestmark = pytest.mark.timeout(1200)
STOPS = 9
BUSY = {"key-dir-busy"}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner("tests.crash.product:main", "tests.crash.product:prepare") as running:
        yield running


def begin(runner: Runner, command: Commands) -> Play:
    shutil.rmtree(runner.case)
    runner.case.mkdir()
    play = Play(runner, command)
    play.begin()
    play.preparing = False
    runner.keep("before")
    return play


def stopped(play: Play, arguments: list[str], at: int) -> Ran:
    return play.runner.run(
        play.complete(arguments, keyring=play.command.keyring),
        cwd=play.work,
        environment=play.environment(),
        stop_at=at,
    )


def test_on_one_key_directory(runner: Runner) -> None:
    rotate = ["key-rotate", "pypi_profile.toml"]
    play = begin(runner, Commands(name="two", arguments=rotate, keyring=True, prepare=with_a_key))
    total = len(play.must(*rotate).calls)
    for at in range(1, total, total // STOPS):
        runner.put_back("before")
        first = stopped(play, rotate, at)
        assert first.state == "stopped"
        second = play.run(*rotate)
        assert second.code == 0 or second.error_code() in BUSY, f"at {at}: {second.stderr}"
        first = runner.resume(first, stop_at=at)
        # Whoever came late is told so, and has changed nothing.
        assert first.code == 0 or first.error_code() in {"change-conflict", "profile-changed", *BUSY}, (
            f"at {at}: {first.stderr}"
        )
        assert 0 in {first.code, second.code}, f"at {at}: nobody got anywhere"
        play.check_whole()
        witness.nothing_left(runner.case)
        play.check_signs()
        line = witness.public_key_of(play.toml)
        assert witness.keyring_entries(play.keyring)["ada"] == line, f"at {at}: the keyring holds another key"
        assert play.old_key() in play.publics().values(), f"at {at}: the old key is gone"


def test_on_two_directories_that_share_an_entry(runner: Runner) -> None:
    """The entry belongs to the first directory: the second one's key never gets into it, nor is lost."""
    rotate = ["key-rotate", "pypi_profile.toml"]

    def prepare(play: Play) -> None:
        with_a_key(play)
        # Another directory with a key of its own, for the same identity.
        shutil.copytree(play.work, play.runner.case / "other")
        shutil.copytree(play.keys, play.runner.case / "keys")

    play = begin(runner, Commands(name="shared", arguments=rotate, keyring=True, prepare=prepare))
    other = [*rotate, "--key-dir", str(runner.case / "keys"), "--json"]
    calls = play.must(*rotate).calls
    stops = [call.number for call in calls if call.operation.startswith("keyring-")]
    assert len(stops) > 3
    for at in stops:
        runner.put_back("before")
        first = stopped(play, rotate, at)
        second = runner.run(other, cwd=runner.case / "other", environment=play.environment())
        assert second.code in {0, 1}, f"at {at}: {second.stderr}"
        first = runner.resume(first, stop_at=at)
        assert first.code in {0, 1}, f"at {at}: {first.stderr}"
        assert 0 in {first.code, second.code}, f"at {at}: nobody got anywhere"
        entry = witness.keyring_entries(play.keyring)["ada"]
        made = {
            witness.public_key_of(runner.case / place / "pypi_profile.toml") for place in ("work", "other")
        }
        assert entry in made | {play.old_key()}, f"at {at}: a key that nobody has"
        for place, keys in (("work", play.keys), ("other", runner.case / "keys")):
            witness.check_whole(keys)
            line = witness.public_key_of(runner.case / place / "pypi_profile.toml")
            assert line in {secret.public for secret in witness.secrets_in(keys)}, f"at {at}: {place}"


@pytest.mark.parametrize("shared", [True, False], ids=["one key directory", "two key directories"])
@pytest.mark.parametrize("first", ["key-rotate", "update-proofs"])
def test_rotation_beside_update_proofs(runner: Runner, first: str, *, shared: bool) -> None:
    """Whoever ends well has got its way in the profile, or comes before the other; nothing is lost without a word."""

    def prepare(play: Play) -> None:
        play.must("keygen")
        shutil.copytree(play.keys, play.runner.case / "keys")

    play = begin(runner, Commands(name="beside", arguments=[], prepare=prepare))
    elsewhere = [] if shared else ["--key-dir", str(runner.case / "keys")]
    words = {"key-rotate": ["key-rotate"], "update-proofs": ["update-proofs", *elsewhere]}
    second = next(name for name in words if name != first)
    calls = play.must(*words[first]).calls
    # A few of all, and the one that replaces the profile.
    stops = {
        *range(1, len(calls), len(calls) // 4),
        *(c.number for c in calls if c.what.endswith(f"> {play.toml}")),
    }
    writes = BUSY | {"profile-changed", "profile-busy", "change-conflict", "no-key"}
    for at in sorted(stops):
        runner.put_back("before")
        held = stopped(play, words[first], at)
        assert held.state == "stopped"
        meanwhile = play.run(*words[second])
        resumed = runner.resume(held, stop_at=at)
        done = {first: resumed, second: meanwhile}
        for name, ran in done.items():
            assert ran.code == 0 or ran.error_code() in writes, f"at {at}: {name}: {ran.stderr}"
            assert ran.code == 0 or "hint" in ran.stderr, f"at {at}: {name} does not say what to do"
        assert 0 in {ran.code for ran in done.values()}, f"at {at}: nobody got anywhere"
        play.check_whole()  # every stored proof is by the profile's key
        witness.nothing_left(runner.case)
        play.check_signs()
        rotated = witness.public_key_of(play.toml) != play.old_key()
        assert rotated == (done["key-rotate"].code == 0), f"at {at}: the rotation is lost"
        signed = witness.check_stored_proofs(play.toml)
        assert bool(signed) == (done["update-proofs"].code == 0), f"at {at}: the new proofs are lost"
