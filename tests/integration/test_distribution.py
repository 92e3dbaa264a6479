"""The wheel that users install: it holds what the server needs at run time, and its commands start."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.docs.pages import ROOT, tracked
from tests.environment import clean_environment

RUNTIME_FOLDERS = ("templates", "static", "locale")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy of the tracked files: nothing of this machine's tree gets in, nothing is left behind."""
    source = tmp_path_factory.mktemp("source")
    for path in tracked():
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)],
        capture_output=True,
        text=True,
        check=False,
        timeout=3000,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone in an environment that sees this one's dependencies, but not this source tree."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(directory / "bin" / "python"), "install"),
            *("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)),
        ],
        check=True,
        timeout=3000,
        env=clean_environment(),
    )
    site = next((directory / "lib").glob("python*/site-packages"))
    dependencies = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies))
    return directory


def test_the_wheel_holds_every_template_style_and_catalogue(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    server = ROOT / "src" / "sealstead" / "server"
    needed = {
        str(path.relative_to(ROOT / "src"))
        for path in tracked("src/sealstead/server")
        if set(path.relative_to(server).parts) & set(RUNTIME_FOLDERS) and path.suffix not in {".po", ".pot"}
    }
    for folder in RUNTIME_FOLDERS:
        assert any(f"/{folder}/" in name for name in needed), folder
    assert sorted(needed - inside) == []
    assert any(name.endswith(".mo") for name in inside)
    assert "sealstead/py.typed" in inside


def test_the_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    tracked_modules = {str(path.relative_to(ROOT / "src")) for path in tracked("src/*.py")}
    assert inside == tracked_modules


@pytest.mark.parametrize("name", ["sealstead", "pypi-profile", "SignotaurTool"])
def test_each_command_starts_and_names_its_version(installed: Path, name: str) -> None:
    done = subprocess.run(
        [installed / "bin" / name, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=installed,
        env=clean_environment({"PATH": os.defpath}),
    )
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout
    if name != "sealstead":
        assert f"not affiliated with the owners of the name {name}" in done.stdout


def test_an_installed_server_finds_its_templates(installed: Path, tmp_path: Path) -> None:
    python = installed / "bin" / "python"
    data = str(tmp_path / "data")
    for arguments in (["migrate"], ["check"]):
        done = subprocess.run(
            [python, "-m", "sealstead", "admin", *arguments, "--data-dir", data],
            capture_output=True,
            text=True,
            check=False,
            timeout=3000,
            cwd=tmp_path,
            env=clean_environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr
    probe = (
        "import sealstead, django; django.setup();"
        "from django.template.loader import get_template; get_template('base.html');"
        "print(sealstead.__file__)"
    )
    done = subprocess.run(
        [python, "-c", probe],
        capture_output=True,
        text=True,
        check=False,
        timeout=3000,
        cwd=tmp_path,
        env=clean_environment(
            {"SEALSTEAD_DATA_DIR": data, "DJANGO_SETTINGS_MODULE": "sealstead.server.settings"}
        ),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))


def test_the_base_install_is_small() -> None:
    """At most ten packages and thirty megabytes, this one with all its parts included."""
    sizes: dict[str, int] = {}

    def add(name: str) -> None:
        found = metadata.distribution(name)
        if found.name in sizes:
            return
        files = [Path(str(file.locate())) for file in found.files or ()]
        sizes[found.name] = sum(file.stat().st_size for file in files if file.is_file())
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                add(needed.name)

    add("sealstead")
    # Installed for development: what a wheel would bring stands in the source tree, with its byte code;
    # that of another Python, which ran here before, is no part of it.
    own = f"{sys.implementation.cache_tag}.pyc"
    sizes["sealstead"] = 0
    for path in (ROOT / "src" / "sealstead").rglob("*"):
        if "__pycache__" not in path.parts or path.name.endswith(own):
            with contextlib.suppress(
                FileNotFoundError
            ):  # byte code that another process writes anew just now
                sizes["sealstead"] += path.stat().st_size if path.is_file() else 0
    assert len(sizes) <= 10, sorted(sizes)
    assert sum(sizes.values()) <= 30_000_000, sizes
