"""Fixtures shared by all tests. Databases: `pytest --database sqlite` (default) or `postgres`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgres"], default="sqlite")
