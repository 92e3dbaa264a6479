"""The client side imports where Unix modules are missing, and without the server's libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.architecture.source import modules

ABSENT = ["fcntl", "pwd", "grp", "termios", "tty", "pty", "resource", "syslog"]
"""Windows has none of them."""

CLIENT = [
    module.name
    for module in modules()
    if not module.path.startswith("server/") and module.path != "__main__.py"
]

SCRIPT = """
import importlib, json, sys
absent, names = json.loads(sys.argv[1])
for name in absent:
    sys.modules[name] = None
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as exc:
        failed[name] = str(exc)
print(json.dumps([failed, [name for name in ("django", "allauth", "gunicorn") if name in sys.modules]]))
"""


def import_all(names: list[str], absent: list[str]) -> tuple[dict[str, str], list[str]]:
    """Import in a fresh interpreter; return what failed, and which of the server's libraries came along."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps([absent, names])],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    failed, heavy = json.loads(done.stdout)
    return failed, heavy


def test_client_modules_import_with_unix_modules_missing() -> None:
    assert "sealstead.cli.main" in CLIENT
    assert import_all(CLIENT, ABSENT) == ({}, [])


@pytest.mark.parametrize("missing", ["hashlib", "click"])
def test_a_missing_module_would_be_noticed(missing: str) -> None:
    failed, _ = import_all(CLIENT, [missing])
    assert failed
