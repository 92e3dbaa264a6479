"""Python imports this at start, when its directory is on PYTHONPATH: arms a whole, separately started process."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

# By its path: the name `tests` need not be importable in the process under test.
_spec = importlib.util.spec_from_file_location("crash_shim", pathlib.Path(__file__).parent.parent / "shim.py")
assert _spec is not None
assert _spec.loader is not None
_shim = importlib.util.module_from_spec(_spec)
sys.modules["crash_shim"] = _shim
_spec.loader.exec_module(_shim)
_shim.from_environment()
