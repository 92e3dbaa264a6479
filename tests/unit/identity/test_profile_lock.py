"""One writer of profiles at a time; what a killed one left goes, and nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealstead.custody.locks import locked
from sealstead.identity.profile_lock import LOCK_FILE, ProfileBusyError, has_leftovers, profile_lock

OURS = ".pypi_profile.toml.0123456789ab.tmp"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "pypi_profile.toml"
    path.write_text("")
    return path


def test_what_a_killed_writer_left_is_removed_and_nothing_else(profile: Path) -> None:
    here = profile.parent
    others = [
        ".pypi_profile.toml.0123456789.tmp",
        ".pypi_profile.toml.0123456789AB.tmp",
        ".pypi_profile.toml.0123456789ab.staged",
        ".pyproject.toml.0123456789ab.tmp",
        "pypi_profile.toml.0123456789ab.tmp",
        ".pypi_profile.toml.swp",
    ]
    for name in (OURS, *others):
        (here / name).write_text("half")
    (here / ".pypi_profile.toml.0123456789ac.tmp").symlink_to("elsewhere")
    (here / ".pypi_profile.toml.0123456789ad.tmp").mkdir()
    (here / "kept").write_text("somebody linked it")
    os.link(here / "kept", here / ".pypi_profile.toml.0123456789ae.tmp")
    before = {path.name for path in here.iterdir()}
    assert has_leftovers(profile)
    with profile_lock(profile):
        assert before - {path.name for path in here.iterdir()} == {OURS}
    assert not has_leftovers(profile)


def test_what_is_being_written_now_is_left_alone(profile: Path) -> None:
    (profile.parent / OURS).write_text("half")
    home = Path.home() / ".pypi_profile"
    home.mkdir(mode=0o700, exist_ok=True)
    with (
        locked(home / LOCK_FILE, seconds=1),
        pytest.raises(ProfileBusyError),
        profile_lock(profile, seconds=0),
    ):
        pass
    assert has_leftovers(profile)


def test_without_a_home_profiles_are_written_all_the_same(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profile.parent / OURS).write_text("half")
    monkeypatch.setenv("HOME", str(profile))  # no directory can be made there
    with profile_lock(profile):
        assert has_leftovers(profile)
