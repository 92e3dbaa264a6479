"""Fixtures shared by all tests. Databases: `pytest --database sqlite` (default) or `postgres`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgres"], default="sqlite")


def pytest_configure(config: pytest.Config) -> None:
    # pytest-django imports the settings before any fixture runs, and they need a data directory.
    from sealstead.custody.sealed import KeyRing

    data_dir = Path(tempfile.mkdtemp(prefix="sealstead-tests-"))
    (data_dir / "keyring.json").touch(0o600)
    (data_dir / "keyring.json").write_text(KeyRing.generate().dump())
    os.environ["SEALSTEAD_DATA_DIR"] = str(data_dir)
