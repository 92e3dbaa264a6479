from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealstead.formats.profile_toml import ProfileError
from sealstead.identity.profile import (
    NoProfileError,
    ProfileChangedError,
    ProfileUnreadableError,
    find_local,
    find_profile,
    save_profile,
)

TEXT = '[identity]\npypi_username = "ada"\n'
IN_PYPROJECT = '[tool.pypi-profile.identity]\npypi_username = "grace"\n'


def test_the_profile_of_the_directory(tmp_path: Path) -> None:
    assert find_local(tmp_path) is None
    with pytest.raises(NoProfileError):
        find_profile(None, tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert find_local(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text(IN_PYPROJECT)
    found = find_profile(None, tmp_path)
    assert (found.profile.identity.pypi_username, found.table) == ("grace", "tool.pypi-profile")
    (tmp_path / "pypi_profile.toml").write_text(TEXT)
    found = find_profile(None, tmp_path)
    assert (found.profile.identity.pypi_username, found.table, found.name) == ("ada", "", "pypi_profile.toml")
    assert [warning.message for warning in found.warnings] == [
        "pypi_profile.toml is used; [tool.pypi-profile] in pyproject.toml is not"
    ]


def test_a_file_a_directory_and_a_distribution_name_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "me").mkdir()
    (tmp_path / "me" / "pypi_profile.toml").write_text(TEXT)
    (tmp_path / "other.toml").write_text(TEXT)
    assert find_profile("me", tmp_path).name == "me/pypi_profile.toml"
    assert find_profile("other.toml", tmp_path).profile.identity.pypi_username == "ada"
    site = tmp_path / "site"
    (site / "pypi_profile_ada-1.dist-info").mkdir(parents=True)
    (site / "pypi_profile_ada").mkdir()
    (site / "pypi_profile_ada" / "pypi_profile.toml").write_text(TEXT)
    metadata = site / "pypi_profile_ada-1.dist-info"
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pypi-profile-ada\nVersion: 1\n")
    (metadata / "RECORD").write_text("pypi_profile_ada/pypi_profile.toml,,\n")
    monkeypatch.syspath_prepend(str(site))
    installed = find_profile("pypi-profile-ada", tmp_path)
    assert (installed.profile.identity.pypi_username, installed.installed) == ("ada", True)
    with pytest.raises(ProfileUnreadableError):
        save_profile(installed, TEXT + "# new\n")


@pytest.mark.parametrize("source", ["nothing.toml", "a/b", "no-such-distribution", "", ".", "empty"])
def test_nothing_there_is_said(tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoProfileError):
        find_profile(source, tmp_path)


def test_a_broken_profile_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "pypi_profile.toml").write_text("[")
    with pytest.raises(ProfileError, match=r"^pypi_profile.toml:1:2: "):
        find_local(tmp_path)


def test_a_broken_pyproject_that_never_mentions_us_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[")
    assert find_local(tmp_path) is None


def test_saving_keeps_the_mode_and_follows_the_link(tmp_path: Path) -> None:
    target = tmp_path / "real" / "profile.toml"
    target.parent.mkdir()
    target.write_bytes(TEXT.replace("\n", "\r\n").encode())
    target.chmod(0o640)
    link = tmp_path / "pypi_profile.toml"
    link.symlink_to(target)
    file = find_profile(None, tmp_path)
    changed = file.text.replace("ada", "bob")
    saved = save_profile(file, changed)
    assert link.is_symlink()
    assert target.read_bytes() == changed.encode()
    assert target.stat().st_mode & 0o777 == 0o640
    assert (saved.profile.identity.pypi_username, saved.data) == ("bob", changed.encode())
    assert list(target.parent.iterdir()) == [target]


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "pypi_profile.toml"
    path.write_text(TEXT)
    file = find_profile(None, tmp_path)
    path.write_text(TEXT + "# mine\n")
    with pytest.raises(ProfileChangedError):
        save_profile(file, TEXT + "# ours\n")
    assert path.read_text() == TEXT + "# mine\n"


def test_what_is_no_profile_is_never_saved(tmp_path: Path) -> None:
    path = tmp_path / "pypi_profile.toml"
    path.write_text(TEXT)
    with pytest.raises(ProfileError):
        save_profile(find_profile(None, tmp_path), "[")
    assert path.read_text() == TEXT


@pytest.mark.parametrize("kind", ["pipe", "loop", "dangling"])
def test_odd_files_are_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pypi_profile.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case _:
            path.symlink_to(tmp_path / "gone.toml")
    with pytest.raises((ProfileUnreadableError, NoProfileError)):
        find_local(tmp_path)
