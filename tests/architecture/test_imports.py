"""The import contracts hold, and a package that nobody has placed breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.architecture.source import REPOSITORY, ROOT


def lint_imports(top: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the `sealstead` package below `top`."""
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--no-cache",
            "--config",
            REPOSITORY / ".importlinter",
        ],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of our Python sources that a test may damage."""
    shutil.copytree(ROOT, tmp_path / "sealstead", ignore=_not_python)
    return tmp_path


def _not_python(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or not _keep(Path(folder, name))}


def _keep(path: Path) -> bool:
    return path.is_dir() or path.suffix == ".py"


def test_contracts_hold() -> None:
    done = lint_imports(ROOT.parent)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize("place", ["unplaced/__init__.py", "server/unplaced.py"])
def test_an_unplaced_module_fails(copy: Path, place: str) -> None:
    path = copy / "sealstead" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    done = lint_imports(copy)
    assert done.returncode != 0
    assert "unplaced" in done.stdout


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("formats/caveats.py", "import sealstead.custody.sealed"),
        ("server/audit/record.py", "import sealstead.server.credentials.judge"),
        ("custody/sealed.py", "import django"),
    ],
)
def test_an_import_against_the_direction_fails(copy: Path, place: str, line: str) -> None:
    with (copy / "sealstead" / place).open("a") as module:
        module.write(f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
